import { dayOf } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import { usageError } from '../errors.ts'
import type { CommandSpec, OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'

export { lakeRunsPlace as runsPlace } from './runs/place.ts'

const options = {
  rows: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_ROWS',
    default: '10000',
    describe: 'rows, all days together',
  },
  days: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_SEED_DAYS',
    default: '7',
    describe: 'days that they fall into',
  },
  date: { kind: 'day', describe: 'the last of these days (default: today, UTC)' },
  seed: {
    kind: 'count',
    env: 'LAKEJOBS_SEED',
    default: '1',
    describe: 'the same number gives the same rows',
  },
  append: { kind: 'flag', describe: 'add to the rows that are there' },
  replace: { kind: 'flag', describe: 'replace the rows of these days, in one transaction' },
  'if-empty': { kind: 'flag', describe: 'only when these days have no row; otherwise exit 99' },
  demo: {
    kind: 'flag',
    describe:
      "for demo tasks: exit 99 unless DEMO_DATA is true; only into an empty table, or lakejobs' own; orders of a demo shop (schema shop), too",
  },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'seed',
  describe: 'Fill the PostgreSQL table public.web_logs with web logs.',
  positionals: [],
  options,
  examples: [
    ['lakejobs seed', '10,000 rows over the last 7 days'],
    ['lakejobs seed --rows 5000000 --append', 'five million more'],
    ['lakejobs seed --days 1 --date 2024-09-16 --replace', 'one day anew'],
    ['lakejobs seed --demo --if-empty --days 1 --date 2024-09-16', 'as the DAG does, every morning'],
  ],
  epilogue: 'Without --append, --replace or --if-empty a table that has rows is left alone (exit 2).',
} as const satisfies CommandSpec<typeof options>

export async function run(values: OptionValues<typeof options>, context: JobContext): Promise<Outcome> {
  const [{ seed }, { postgresSettings, requireDemoData }] = await Promise.all([
    import('../seed/seed.ts'),
    import('../settings/settings.ts'),
  ])
  const modes = (['append', 'replace', 'if-empty'] as const).filter((mode) => values[mode])
  if (modes.length > 1) {
    throw usageError(`--${modes.join(' and --')} are given together`, {
      field: `--${modes[0]!}`,
      fix: 'give one of them',
    })
  }
  if (values.demo) requireDemoData(context.env)
  const { rows, days } = values
  return seed(
    postgresSettings(context.env, 'POSTGRES'),
    {
      rows,
      days,
      date: values.date ?? dayOf(context.now()),
      seed: values.seed,
      mode: modes[0] ?? 'refuse',
      demo: values.demo,
    },
    context,
  )
}
