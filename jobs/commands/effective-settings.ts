import type { JobContext } from '../context.ts'
import type { EffectiveSetting } from '../summary.ts'
import { commands } from './index.ts'
import { defaultPlaces, postgresDefaults } from './settings.ts'

const secret = /PASSWORD|SECRET|TOKEN|ACCESS_KEY/

/** Settings that are no option of a command, with their defaults; undefined: none. */
const plain: Readonly<Record<string, string | undefined>> = {
  ...postgresNames('POSTGRES'),
  ...postgresNames('ICEBERG_POSTGRES'),
  ICEBERG_CATALOG_NAME: 'local',
  ICEBERG_NAMESPACE: 'default',
  S3_ENDPOINT: undefined,
  MINIO_ROOT_USER: undefined,
  MINIO_ROOT_PASSWORD: undefined,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  S3_CREATE_BUCKET: 'false',
  LAKEJOBS_S3_CHECKSUMS: 'WHEN_REQUIRED',
  ...defaultPlaces,
  DEMO_DATA: 'false',
  LAKEJOBS_TABLE: 'public.web_logs',
}

function postgresNames(prefix: keyof typeof postgresDefaults): Record<string, string | undefined> {
  const { host, port, database } = postgresDefaults[prefix]
  return {
    [`${prefix}_HOST`]: host,
    [`${prefix}_PORT`]: port,
    [`${prefix}_DB`]: database,
    [`${prefix}_USER`]: undefined,
    [`${prefix}_PASSWORD`]: undefined,
  }
}

/**
 * The settings of connections and places as they take effect, and the jobs' options where they are set, each with
 * where it comes from. Of a secret it says only whether it is set; credentials inside an address are left out.
 */
export async function effectiveSettings({
  env,
  originOf,
}: Pick<JobContext, 'env' | 'originOf'>): Promise<Record<string, EffectiveSetting>> {
  const names = new Set(Object.keys(plain))
  for (const { load } of Object.values(commands)) {
    for (const { env: name } of Object.values((await load()).command.options)) {
      if (name !== undefined && originOf(name) !== 'default') names.add(name)
    }
  }
  const entries = [...names].map((name): [string, EffectiveSetting] => {
    const value = env[name] ?? plain[name]
    const shown = value === undefined ? 'unset' : secret.test(name) ? 'set' : withoutCredentials(value)
    return [name, { value: shown, from: originOf(name) }]
  })
  return Object.fromEntries(entries)
}

/** `http://user:password@host/?key=secret` as `…@host/?…`. */
const withoutCredentials = (value: string): string =>
  value.replaceAll(/\S*@/g, '…@').replace(/^(.*(?:@|:\/\/).*?)\?.*$/s, '$1?…')
