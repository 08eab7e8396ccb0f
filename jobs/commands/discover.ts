import { existsSync } from 'node:fs'
import { sourceName } from '../config/checks.ts'
import { emptyConfig } from '../config/config.ts'
import type { JobContext, ResultOutput } from '../context.ts'
import { usageError } from '../errors.ts'
import { configOption, type CommandSpec, type OptionValues } from '../options/options.ts'
import { FileExists } from '../storage/errors.ts'
import type { Outcome } from '../summary.ts'
import { loadConfig } from './flags/config-file.ts'

const options = {
  source: {
    kind: 'text',
    describe:
      'a source of lakejobs.yaml, or the prefix of environment names in lower case: crm for CRM_HOST … (default: POSTGRES_*)',
  },
  schema: { kind: 'list', describe: 'these schemas alone (default: all but the system’s)' },
  config: configOption,
  write: {
    kind: 'flag',
    describe: 'write it to lakejobs.yaml, or what --config says; never over a file that is there',
  },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'discover',
  describe: 'Print a lakejobs.yaml for the tables of a source: a start, to be looked through.',
  prints: true,
  positionals: [],
  options,
  examples: [
    ['lakejobs discover', 'what is in the database of POSTGRES_*'],
    ['lakejobs discover --schema shop --write', 'the tables of a schema, written to lakejobs.yaml'],
  ],
  epilogue:
    'Asks the catalog and the planner’s statistics alone; of tables it reads numeric columns without precision alone, where they are small. Run ANALYZE before, if sizes are missing.',
} as const satisfies CommandSpec<typeof options>

export async function run(
  values: OptionValues<typeof options>,
  context: JobContext,
  output: ResultOutput,
): Promise<Outcome> {
  const file = values.config ?? 'lakejobs.yaml'
  const { source = '' } = values
  if (values.write && existsSync(file)) throw alreadyThere(file)
  const known = values.write ? undefined : await loadConfig(values.config, context)
  const config = known ?? emptyConfig
  if (source !== '' && !sourceName.test(source))
    throw usageError(`--source: "${source}" cannot be a source's name`, {
      field: '--source',
      fix: 'use letters, digits, _ and -, a letter first',
    })
  const prefix = source === '' ? 'POSTGRES' : source.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
  const named =
    source === '' || config.sources.has(source)
      ? config
      : { ...config, sources: new Map([[source, { env: prefix, database: undefined }]]) }
  const [
    { sourceAccess, sourceTables },
    { connect },
    { readFacts },
    { fileText },
    { addressOf },
    { localFileIO },
    { place },
  ] = await Promise.all([
    import('./flags/sources.ts'),
    import('../postgres/connection/connect.ts'),
    import('../discover/facts.ts'),
    import('../discover/file-text.ts'),
    import('../postgres/connection/settings.ts'),
    import('../storage/local/local.ts'),
    import('../settings/settings.ts'),
  ])
  const stallTimeoutMs = 300_000
  const access = sourceAccess(named, source, context.env, stallTimeoutMs)
  const found = await sourceTables(named, source, { 'stall-timeout': stallTimeoutMs }, context)
  // The SQL catalog's own, where it shares the database.
  const all = found.filter(({ name }) => !['iceberg_tables', 'iceberg_namespace_properties'].includes(name))
  const { schema } = values
  const missing = schema?.find((name) => !all.some((table) => table.schema === name))
  if (missing !== undefined)
    throw usageError(`--schema ${missing}: there is no table in a schema of that name`, {
      field: '--schema',
      fix: 'names are compared exactly; leave --schema out for all',
    })
  const connection = await connect(access.settings, { prefix: access.prefix, signal: context.signal })
  const facts = []
  try {
    for (const table of all)
      if (schema?.includes(table.schema) ?? true) facts.push(await readFacts(connection, table))
  } finally {
    await connection.close()
  }
  const { database } = access.settings
  const address = `database ${database} at ${addressOf(access.settings)}`
  const text = fileText(
    { source, prefix: access.prefix, database: named.sources.get(source)?.database, address },
    facts.filter((one) => one !== undefined),
  )
  if (!values.write) await output.write(text)
  else
    await localFileIO()
      .write(place(file, '--config'), Buffer.from(text), { ifAbsent: true })
      .catch((error: unknown) => {
        throw error instanceof FileExists ? alreadyThere(file) : error
      })
  return {}
}

const alreadyThere = (file: string): Error =>
  usageError(`${file} is there already`, {
    field: '--write',
    fix: 'leave --write out and take what is wanted from what is printed, or name another file with --config',
  })
