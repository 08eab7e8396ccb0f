import { availableParallelism, totalmem } from 'node:os'
import type { JobContext, ResultOutput } from '../context.ts'
import { usageError } from '../errors.ts'
import { engineScratch, stallTimeout, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { QueryEngine } from '../query/protocol.ts'
import type { Outcome } from '../summary.ts'
import { snapshotChoice, snapshotFlags } from './flags/snapshot-flags.ts'

const options = {
  query: { kind: 'text', describe: 'one SELECT over the tables; explain in front shows what it would read' },
  ...snapshotFlags,
  csv: { kind: 'flag', describe: 'the result as CSV; NULL is nothing, the empty text is ""' },
  json: {
    kind: 'flag',
    describe: 'the result as JSON; whole numbers of 64 bits and decimals are texts, always',
  },
  input: {
    kind: 'place',
    env: 'CRUD_INPUT',
    default: './data/crud/input',
    describe: 'folder of the logs, for crud_logs: as of aggregate',
  },
  output: {
    kind: 'place',
    env: 'CRUD_OUTPUT',
    default: './data/crud/output',
    describe: 'folder of its results, for crud_weekly',
  },
  cache: {
    kind: 'place',
    env: 'CRUD_CACHE',
    default: './data/crud/cache',
    describe: 'its counts per day, for crud_daily',
  },
  timeout: {
    kind: 'duration',
    env: 'LAKEJOBS_SQL_TIMEOUT',
    default: '5m',
    describe: 'a query that takes longer is ended, exit 1; 0: none is',
  },
  'memory-limit': {
    kind: 'size',
    env: 'LAKEJOBS_SQL_MEMORY',
    describe: 'for the query; above, it spills into --scratch (default: half of the machine’s)',
  },
  threads: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_THREADS',
    describe: 'processors to use (default: all; at most four times as many as there are)',
  },
  scratch: engineScratch,
  'max-download': {
    kind: 'size',
    env: 'LAKEJOBS_MAX_DOWNLOAD',
    default: '10GB',
    describe: 'more than this to be brought from an object store is exit 3',
  },
  'duckdb-extensions': {
    kind: 'text',
    env: 'LAKEJOBS_DUCKDB_EXTENSIONS',
    describe:
      'folder with DuckDB’s httpfs.duckdb_extension, of the embedded version: then an object store is read in place',
  },
  'stall-timeout': stallTimeout,
} as const satisfies CommandSpec['options']

export const command = {
  name: 'sql',
  describe: 'Ask the lake one question: a SELECT over its Iceberg tables and the counts of the logs.',
  positionals: ['query'],
  prints: true,
  options,
  examples: [
    ['lakejobs sql "select count(*) from web_logs"', 'a table of the catalog, as a table'],
    [
      'lakejobs sql "select timestamp::date as day, count(*) from default.web_logs group by 1 order by 1" --csv',
      'as CSV, on standard output',
    ],
    ['lakejobs sql "describe web_logs"', 'its columns'],
    [
      'lakejobs sql "select action, count(*) from crud_logs group by 1"',
      'the daily logs; crud_daily and crud_weekly have their counts',
    ],
    ['lakejobs sql "select * from web_logs limit 3" --as-of 2024-09-16T07:00Z', 'as it was on that morning'],
    [
      `lakejobs sql "explain select * from web_logs where timestamp >= '2024-09-15'"`,
      'which files that would read, and the plan',
    ],
  ],
  epilogue:
    'Nothing can be written, and no other file, setting or secret be read. Rows and time are said on standard error. ' +
    'The dialect is DuckDB’s; times are UTC.',
} as const satisfies CommandSpec<typeof options>

export async function run(
  values: OptionValues<typeof options>,
  context: JobContext,
  output: ResultOutput,
): Promise<Outcome> {
  if (values.query === undefined)
    throw usageError('there is no query', {
      field: 'query',
      fix: 'give one, as in lakejobs sql "select count(*) from web_logs"',
    })
  if (values.csv && values.json)
    throw usageError('--csv and --json are given together', { field: '--json', fix: 'give one of them' })
  // The engine's process takes longest to start: all else is loaded meanwhile.
  const { startQueryEngine } = await import('../query/engine.ts')
  const engine = startQueryEngine(context.signal)
  try {
    return await answer(values, values.query, engine, context, output)
  } finally {
    await engine.close()
  }
}

async function answer(
  values: OptionValues<typeof options>,
  query: string,
  engine: QueryEngine,
  context: JobContext,
  output: ResultOutput,
): Promise<Outcome> {
  const [settings, { openCatalogs }, { foreseen }, { crudTableNames }] = await Promise.all([
    import('../settings/settings.ts'),
    import('../settings/catalogs.ts'),
    import('../query/foreseen.ts'),
    import('../aggregate/tables/names.ts'),
  ])
  const processors = availableParallelism()
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  const stallTimeoutMs = values['stall-timeout']
  let opening: ReturnType<typeof openCatalogs> | undefined
  const catalogs = (): ReturnType<typeof openCatalogs> =>
    (opening ??= openCatalogs(context, { iceberg: true, dryRun: true, versionHint: false, stallTimeoutMs }))
  const choice = snapshotChoice(values)
  try {
    // Its server is asked ahead: what takes long to load is loaded while it answers.
    const catalog = foreseen(query, choice, crudTableNames, async () => (await catalogs()).catalog)
    const [{ runSql }, { crudTables }, { openFileIO }] = await Promise.all([
      import('../query/sql.ts'),
      import('../aggregate/tables/tables.ts'),
      import('../storage/open.ts'),
    ])
    return await runSql(
      {
        sql: query,
        choice,
        format: values.csv ? 'csv' : values.json ? 'json' : 'table',
        width: output.columns,
        timeoutMs: values.timeout,
        threads: Math.min(values.threads ?? processors, 4 * processors),
        memoryLimit: values['memory-limit'] ?? Math.floor(memory / 2),
        scratch: settings.scratchFolder(values.scratch),
        maxDownload: values['max-download'],
      },
      {
        engine,
        catalog,
        extras: crudTables(
          {
            input: settings.place(values.input, '--input'),
            output: settings.place(values.output, '--output'),
            cache: settings.place(values.cache, '--cache'),
            open: (location) => openFileIO(location, settings.s3Settings(context.env, stallTimeoutMs)),
          },
          context,
        ),
        storeAccess: async (buckets) => {
          const folder = values['duckdb-extensions']
          if (folder === undefined) return undefined
          const { storeAccess } = await import('./flags/store-access.ts')
          return storeAccess(folder, settings.s3Settings(context.env, stallTimeoutMs), buckets)
        },
      },
      context,
    )
  } finally {
    await opening?.then(
      ({ close }) => close(),
      () => undefined,
    )
  }
}
