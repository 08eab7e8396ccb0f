import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { addDays, dayOf } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import type { CommandSpec, OptionValues } from '../options.ts'
import type { Outcome } from '../summary.ts'

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
  refresh: {
    kind: 'flag',
    env: 'LAKEJOBS_REFRESH',
    describe: 'also publish again results made from logs that changed since',
  },
  engine: {
    kind: 'choice',
    choices: ['duckdb'],
    env: 'LAKEJOBS_ENGINE',
    default: 'duckdb',
    describe: 'what counts days with many users',
  },
  'memory-limit': {
    kind: 'size',
    env: 'LAKEJOBS_MEMORY_LIMIT',
    describe: "the engine's memory; above, it spills to disk (default: half of the machine's)",
  },
  threads: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_THREADS',
    describe: 'processors to use (default: all)',
  },
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
  ],
  epilogue:
    'All days are UTC days. Rejected lines are written with file, line and reason, never dropped silently.',
} as const satisfies CommandSpec<typeof options>

export async function run(values: OptionValues<typeof options>, context: JobContext): Promise<Outcome> {
  const [{ aggregate }, { planWindows }, { openStore, place, s3Settings }, { join }] = await Promise.all([
    import('../aggregate/aggregate.ts'),
    import('../aggregate/window.ts'),
    import('./settings.ts'),
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
  const s3 = s3Settings(context.env)
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  return aggregate(
    {
      input,
      output,
      cache,
      rejects:
        values.rejects === undefined
          ? join(output, '.lakejobs', 'rejects')
          : place(values.rejects, '--rejects'),
      windows,
      length: values.days,
      missingDays: values['missing-days'],
      maxRejects: values['max-rejects'],
      refresh: values.refresh,
      verifyCache: values['verify-cache'],
      cacheDays: values['cache-days'],
      threads: values.threads ?? availableParallelism(),
      memoryLimit: values['memory-limit'] ?? Math.floor(memory / 2),
      scratch: values.scratch ?? tmpdir(),
    },
    {
      input: await openStore(input, s3),
      output: await openStore(output, s3),
      cache: await openStore(cache, s3),
      s3,
    },
    context,
  )
}
