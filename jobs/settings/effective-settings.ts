import type { JobContext } from '../context.ts'
import type { EffectiveSetting } from '../summary.ts'
import { isSecret } from './secrets.ts'
import { awsNames, defaultPlaces, postgresDefaults } from './settings.ts'

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
  AWS_PROFILE: undefined,
  AWS_CA_BUNDLE: undefined,
  S3_CREATE_BUCKET: 'false',
  LAKEJOBS_S3_CHECKSUMS: 'WHEN_REQUIRED',
  ...defaultPlaces,
  LAKEJOBS_RUNS: undefined,
  LAKEJOBS_HASH_KEY: undefined,
  LAKEJOBS_HASH_KEY_FILE: undefined,
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
    [`${prefix}_PASSWORD_FILE`]: undefined,
    [`${prefix}_PASSWORD_COMMAND`]: undefined,
    [`${prefix}_SSLMODE`]: 'prefer',
    [`${prefix}_SSLROOTCERT`]: undefined,
    [`${prefix}_SSLCERT`]: undefined,
    [`${prefix}_SSLKEY`]: undefined,
  }
}

/** libpq's names and AWS', which are read where ours say nothing. */
const fallbacks = [
  ...['PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY', 'PGPASSWORD', 'PGPASSFILE'],
  ...Object.values(awsNames).flat(),
]

/**
 * The settings of connections and places as they take effect, and the jobs' options where they are set, each with
 * where it comes from. Of a secret it says only whether it is set; credentials inside an address are left out.
 */
export async function effectiveSettings({
  env,
  originOf,
  optionNames,
}: Pick<JobContext, 'env' | 'originOf' | 'optionNames'>): Promise<Record<string, EffectiveSetting>> {
  const names = new Set([...Object.keys(plain), ...fallbacks.filter((name) => env[name] !== undefined)])
  for (const name of await optionNames()) if (originOf(name) !== 'default') names.add(name)
  const entries = [...names].map((name): [string, EffectiveSetting] => {
    const value = env[name] ?? fallbackOf(name, env) ?? plain[name]
    const shown = value === undefined ? 'unset' : isSecret(name) ? 'set' : withoutCredentials(value)
    return [name, { value: shown, from: originOf(name) }]
  })
  return Object.fromEntries(entries)
}

/** `PGSSLMODE` of `POSTGRES_SSLMODE`. */
function fallbackOf(name: string, env: JobContext['env']): string | undefined {
  if (name === 'S3_ENDPOINT' || name === 'AWS_REGION')
    return awsNames[name].map((other) => env[other]).find((value) => value !== undefined)
  return env[name.replace(/^(?:ICEBERG_)?POSTGRES_(?=SSL)/, 'PG')]
}

/** `http://user:password@host/?key=secret` as `…@host/?…`. */
const withoutCredentials = (value: string): string =>
  value.replaceAll(/\S*@/g, '…@').replace(/^(.*(?:@|:\/\/).*?)\?.*$/s, '$1?…')
