import { availableParallelism, totalmem } from 'node:os'
import { addDays, dayOf } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import { usageError } from '../errors.ts'
import type { SparkSettings } from '../aggregate/spark/spark-engine.ts'
import type { TableIdentifier } from '../iceberg/catalog/catalog.ts'
import { stallTimeout, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { Catalogs } from '../settings/catalogs.ts'
import type { Outcome } from '../summary.ts'
import { writtenNamespace } from '../settings/namespace.ts'

export { crudRunsPlace as runsPlace } from './runs/place.ts'

const options = {
  input: {
    kind: 'place',
    env: 'CRUD_INPUT',
    default: './data/crud/input',
    describe: 'folder of the logs YYYY-MM-DD.csv(.gz): a path, file:// or s3://',
  },
  output: {
    kind: 'place',
    env: 'CRUD_OUTPUT',
    default: './data/crud/output',
    describe: 'where YYYY-MM-DD.csv goes',
  },
  date: { kind: 'day', describe: 'last day of the window (default: yesterday, UTC)' },
  days: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_DAYS',
    default: '7',
    describe: 'days in a window; other than 7 makes YYYY-MM-DD.<N>d.csv',
  },
  from: { kind: 'day', describe: 'backfill: first window ends here' },
  to: { kind: 'day', describe: 'backfill: last window ends here' },
  cache: {
    kind: 'place',
    env: 'CRUD_CACHE',
    default: './data/crud/cache',
    describe: 'counts per day, kept between runs',
  },
  iceberg: {
    kind: 'text',
    env: 'CRUD_ICEBERG',
    describe:
      'Iceberg table that results go to as well, each under its last day: crud_weekly, or namespace.table',
  },
  rejects: {
    kind: 'place',
    env: 'LAKEJOBS_REJECTS',
    describe: 'where rejected lines go (default: <output>/.lakejobs/rejects)',
  },
  'missing-days': {
    kind: 'choice',
    choices: ['latest', 'warn', 'fail', 'ignore'],
    env: 'LAKEJOBS_MISSING_DAYS',
    default: 'warn',
    describe: 'days without a log: latest waits for the newest (exit 5), fail is exit 3',
  },
  'max-rejects': {
    kind: 'limit',
    env: 'LAKEJOBS_MAX_REJECTS',
    describe: 'rejected lines allowed per day, 10 or 5% (default: 1%, at least 10); above: exit 3',
  },
  'max-shrink': {
    kind: 'share',
    env: 'LAKEJOBS_MAX_SHRINK',
    default: '50%',
    describe: "share of a published result's events that may go when it is replaced; above: exit 3",
  },
  refresh: {
    kind: 'flag',
    env: 'LAKEJOBS_REFRESH',
    describe: 'also publish again all results, of any --days, made from logs that changed since',
  },
  engine: {
    kind: 'choice',
    choices: ['duckdb', 'spark'],
    env: 'LAKEJOBS_ENGINE',
    default: 'duckdb',
    describe: 'duckdb: this machine; spark: counts and merges by the Spark at SPARK_REMOTE',
  },
  'memory-limit': {
    kind: 'size',
    env: 'LAKEJOBS_MEMORY_LIMIT',
    describe:
      "memory for counts and the engine; above, days are counted in parts and merges spill to disk (default: half of the machine's)",
  },
  threads: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_THREADS',
    describe: 'processors to use (default: all; at most four times as many as there are)',
  },
  'stall-timeout': stallTimeout,
  scratch: {
    kind: 'text',
    env: 'LAKEJOBS_SCRATCH',
    describe: 'local folder for what does not fit into memory (default: the system’s)',
  },
  'verify-cache': {
    kind: 'flag',
    env: 'LAKEJOBS_VERIFY_CACHE',
    describe: 'hash every log, whatever its size and times say',
  },
  'cache-days': {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_CACHE_DAYS',
    default: '90',
    describe: 'days that cached counts are kept',
  },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'aggregate',
  describe: 'Count the CREATE, READ, UPDATE and DELETE events of the last 7 days per user.',
  positionals: ['input', 'output', 'date'],
  loneDay: 'date',
  options,
  examples: [
    ['lakejobs aggregate', "yesterday's window, from the default folders"],
    ['lakejobs aggregate 2024-09-16', 'the window 2024-09-10 … 2024-09-16'],
    ['lakejobs aggregate logs out 2024-09-16', 'with folders of your own'],
    ['lakejobs aggregate --from 2024-09-01 --to 2024-09-16', 'a backfill: each day is read once'],
    ['lakejobs aggregate s3://logs/crud s3://lake/crud', 'from and to an object store'],
    ['lakejobs aggregate --engine spark', 'by a Spark (SPARK_REMOTE=sc://host:15002)'],
    ['lakejobs aggregate --iceberg crud_weekly', 'into a table of the lake, too'],
  ],
  epilogue:
    'All days are UTC days. Rejected lines are written with file, line and reason, never dropped silently.',
} as const satisfies CommandSpec<typeof options>

export async function run(values: OptionValues<typeof options>, context: JobContext): Promise<Outcome> {
  const [{ aggregate }, { planWindows }, { openStore, place, s3Settings, scratchFolder }, { join }] =
    await Promise.all([
      import('../aggregate/aggregate.ts'),
      import('../aggregate/window.ts'),
      import('../settings/settings.ts'),
      import('../storage/place.ts'),
    ])
  const windows = planWindows({
    date: values.date,
    from: values.from,
    to: values.to,
    days: values.days,
    yesterday: addDays(dayOf(context.now()), -1),
  })
  const input = place(values.input, '--input')
  const output = place(values.output, '--output')
  const cache = place(values.cache, '--cache')
  context.touches?.({ role: 'input', kind: 'files', location: input })
  context.touches?.({ role: 'output', kind: 'files', location: output })
  const s3 = s3Settings(context.env, values['stall-timeout'])
  const processors = availableParallelism()
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  const table = values.iceberg === undefined ? undefined : resultTable(values.iceberg, context)
  const catalogs = table && (await openCatalog(context, values['stall-timeout']))
  try {
    return await aggregate(
      {
        input,
        output,
        cache,
        rejects:
          values.rejects === undefined
            ? join(output, '.lakejobs', 'rejects')
            : place(values.rejects, '--rejects'),
        windows,
        missingDays: values['missing-days'],
        maxRejects: values['max-rejects'],
        maxShrink: values['max-shrink'],
        refresh: values.refresh,
        verifyCache: values['verify-cache'],
        cacheDays: values['cache-days'],
        threads: Math.min(values.threads ?? processors, 4 * processors),
        memoryLimit: values['memory-limit'] ?? Math.floor(memory / 2),
        scratch: scratchFolder(values.scratch),
        table,
        spark: values.engine === 'spark' ? await sparkSettings(context, values['stall-timeout']) : undefined,
      },
      {
        input: await openStore(input, s3),
        output: await openStore(output, s3),
        cache: await openStore(cache, s3),
        s3,
        ...(catalogs && { catalog: catalogs.catalog }),
      },
      context,
    )
  } finally {
    await catalogs?.close()
  }
}

/** Where Spark is, and where it sees our folders: SPARK_REMOTE, SPARK_PATH_MAP. */
async function sparkSettings({ env }: JobContext, patienceMs: number): Promise<SparkSettings> {
  const [{ parseRemote }, { parsePathMap }] = await Promise.all([
    import('../spark/remote.ts'),
    import('../aggregate/spark/path-map.ts'),
  ])
  const remote = env['SPARK_REMOTE']
  if (remote === undefined)
    throw usageError('--engine spark, and SPARK_REMOTE does not say where Spark is', {
      field: 'SPARK_REMOTE',
      fix: 'set SPARK_REMOTE=sc://host:15002, or leave --engine out',
    })
  return {
    remote: parseRemote(remote),
    toSpark: parsePathMap(env['SPARK_PATH_MAP']),
    // 0: for ever.
    patienceMs: patienceMs === 0 ? Infinity : patienceMs,
  }
}

/** `namespace.table`, or a table of ICEBERG_NAMESPACE. */
function resultTable(text: string, { env }: JobContext): TableIdentifier {
  const levels = (text.includes('.') ? text : `${writtenNamespace(env)}.${text}`).split('.')
  if (levels.every((level) => /^[^/\\\p{Cc}\s]+$/u.test(level)))
    return { namespace: levels.slice(0, -1), name: levels.at(-1)! }
  throw usageError(`--iceberg ${text}: not a table of the catalog`, {
    field: '--iceberg',
    fix: 'write table or namespace.table, for example --iceberg default.crud_weekly',
  })
}

async function openCatalog(context: JobContext, stallTimeoutMs: number): Promise<Catalogs> {
  const [{ openCatalogs }, { leavesVersionHint }] = await Promise.all([
    import('../settings/catalogs.ts'),
    import('../settings/settings.ts'),
  ])
  const versionHint = leavesVersionHint(context.env)
  return openCatalogs(context, { iceberg: true, dryRun: false, versionHint, stallTimeoutMs })
}
