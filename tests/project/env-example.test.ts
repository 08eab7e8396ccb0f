import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commands, type CommandModule } from '../../jobs/commands/index.ts'
import { roleSettings } from '../../jobs/cli/role-settings.ts'
import { parseDotenv } from '../../jobs/cli/dotenv.ts'
import { awsNames } from '../../jobs/settings/settings.ts'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, '.env.example'), 'utf8')

/** Every name, also of the lines that are commented out. */
const listed = [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name)

/** Names that the jobs look up by themselves: `env['NAME']`, `env: 'NAME'`, `placeSetting(env, 'NAME')`. */
const inSources = readdirSync(join(root, 'jobs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => [
    ...readFileSync(join(root, 'jobs', name), 'utf8').matchAll(
      /(?:env(?:\[|: )|(?:environmentFlag|placeSetting)\(env, )'([A-Z][A-Z0-9_]*)'/g,
    ),
  ])
  .map(([, name = '']) => name)

/** What Compose puts into docker-compose.yml, except for what it or the shell sets by itself. */
const inCompose = ['docker-compose.yml', 'docker/runner/docker.yml']
  .flatMap((name) => [...readFileSync(join(root, name), 'utf8').matchAll(/\$\{([A-Z][A-Z0-9_]*)/g)])
  .map(([, name = '']) => name)
  .filter((name) => !['COMPOSE_PROJECT_NAME', 'PWD'].includes(name))

/** What the DAGs look up, except for what is Airflow's surroundings, which Compose or scripts/airflow set. */
const inDags = readdirSync(join(root, 'dags/lakejobs_dags'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.py'))
  .flatMap((name) => [
    ...readFileSync(join(root, 'dags/lakejobs_dags', name), 'utf8').matchAll(
      /(?:environ\.get|_seconds|_flag)\("([A-Z][A-Z0-9_]*)"/g,
    ),
  ])
  .map(([, name = '']) => name)
  .filter((name) => !['LAKEJOBS_HOME', 'LAKEJOBS_NETWORK', 'DOCKER_URL', 'AIRFLOW_HOME'].includes(name))

/** What the AWS SDK and Compose read, not we; and the contract of jobs that are still to come (design §3.2). */
const readByOthers = [
  'COMPOSE_FILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
]
const contract = [
  ...['POSTGRES', 'ICEBERG_POSTGRES'].flatMap((prefix) =>
    [
      ...['HOST', 'PORT', 'DB', 'USER', 'PASSWORD', 'PASSWORD_FILE', 'PASSWORD_COMMAND'],
      ...['SSLMODE', 'SSLROOTCERT', 'SSLCERT', 'SSLKEY'],
    ].map((name) => `${prefix}_${name}`),
  ),
  'PGPASSFILE',
  ...['ICEBERG_CATALOG_NAME', 'MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD', 'S3_ENDPOINT', 'AWS_REGION'],
  ...['WAREHOUSE', 'PARQUET_LOCATION', 'CRUD_INPUT', 'CRUD_OUTPUT', 'CRUD_CACHE'],
  ...Object.values(awsNames).flat(),
]

/** One after the other: Jest's loader of ES modules stumbles over two at once. */
async function loadCommands(): Promise<CommandModule[]> {
  const modules: CommandModule[] = []
  for (const { load } of Object.values(commands)) modules.push(await load())
  return modules
}

describe('.env.example', () => {
  it('lists each name once', () => {
    expect(listed.filter((name, index) => listed.indexOf(name) !== index)).toEqual([])
  })

  it('lists every name that an option, a setting, Compose or a DAG has, and no other', async () => {
    const modules = await loadCommands()
    const options = modules.flatMap(({ command }) => Object.values(command.options))
    const inTables = options.flatMap(({ env }) => (env === undefined ? [] : [env]))
    const read = new Set([...inTables, ...inSources, ...inCompose, ...inDags, ...contract, ...roleSettings])
    expect([...read].filter((name) => !listed.includes(name))).toEqual([])
    expect(listed.filter((name) => !read.has(name) && !readByOthers.includes(name))).toEqual([])
  })

  it('shows the defaults of the options where it does not say "example"', async () => {
    const modules = await loadCommands()
    const values = parseDotenv(text.replaceAll(/^#(?=[A-Z][A-Z0-9_]*=)/gm, ''), {})
    for (const { command } of modules) {
      for (const option of Object.values(command.options)) {
        const { env, default: value } = option
        if (env !== undefined && value !== undefined) expect([env, values[env]]).toEqual([env, value])
      }
    }
  })

  it("shows Compose's defaults, too", () => {
    const values = parseDotenv(text.replaceAll(/^#(?=[A-Z][A-Z0-9_]*=)/gm, ''), {})
    const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
    const differing = [...compose.matchAll(/\$\{([A-Z0-9_]+):-([^{}]+)\}/g)]
      .map(([, name = '', value]) => [name, value] as const)
      // Examples, which say more than the default.
      .filter(
        ([name, value]) =>
          !['LAKEJOBS_UID', 'LAKEJOBS_RUNNER', 'LAKEJOBS_PAUSED'].includes(name) && values[name] !== value,
      )
    expect(differing).toEqual([])
  })

  it('has the values of the contract', () => {
    expect(parseDotenv(text, {})).toMatchObject({
      POSTGRES_PORT: '5434',
      ICEBERG_POSTGRES_PORT: '5435',
      ICEBERG_CATALOG_NAME: 'local',
      S3_ENDPOINT: 'http://localhost:9000',
      WAREHOUSE: 's3://logs-bucket/iceberg',
    })
  })
})
