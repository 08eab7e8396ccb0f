import type { JobContext } from '../context.ts'
import { usageError } from '../errors.ts'
import type { CommandSpec, OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'

export { crudRunsPlace as runsPlace } from './runs/place.ts'

const options = {
  dir: {
    kind: 'place',
    env: 'CRUD_INPUT',
    default: './data/crud/input',
    describe: 'folder of the logs: a path, file:// or s3://',
  },
  'first-date': { kind: 'day', describe: 'first day, YYYY-MM-DD' },
  days: { kind: 'count', minimum: 1, default: '1', describe: 'number of days' },
  emails: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_EMAILS',
    default: '10',
    describe: 'number of different emails',
  },
  events: { kind: 'count', env: 'LAKEJOBS_EVENTS', default: '2000', describe: 'events per day' },
  seed: {
    kind: 'count',
    env: 'LAKEJOBS_SEED',
    default: '1',
    describe: 'the same number gives the same files',
  },
  'if-missing': { kind: 'flag', env: 'LAKEJOBS_IF_MISSING', describe: 'leave days that exist as they are' },
  replace: { kind: 'flag', describe: 'replace the logs of days that exist' },
  demo: {
    kind: 'flag',
    describe: "for demo tasks: exit 99 unless DEMO_DATA is true; only into an empty folder, or lakejobs' own",
  },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'generate',
  describe: 'Write daily CRUD logs (email,action,timestamp) of any size; the same seed gives the same bytes.',
  positionals: ['dir', 'first-date', 'days', 'emails', 'events'],
  options,
  examples: [
    ['lakejobs generate data/crud/input 2024-09-10 7 10 2000', 'a week with ten users'],
    ['lakejobs generate s3://logs/crud 2024-09-10 1 1000000 3000000', 'three million events straight to S3'],
    [
      'lakejobs generate --demo --if-missing --first-date 2024-09-10 --days 7',
      'as the DAG does, every morning',
    ],
  ],
  epilogue:
    'Without --if-missing or --replace days that exist are left alone (exit 2). Emails depend on the seed and their number, the events of a day on the seed and the day.',
} as const satisfies CommandSpec<typeof options>

export async function run(values: OptionValues<typeof options>, context: JobContext): Promise<Outcome> {
  const [{ generate }, { openStore, place, requireDemoData, s3Settings }] = await Promise.all([
    import('../generate/generate.ts'),
    import('../settings/settings.ts'),
  ])
  const firstDate = values['first-date']
  if (firstDate === undefined) {
    throw usageError('first-date is missing', {
      field: '--first-date',
      fix: 'give the first day, for example lakejobs generate logs 2024-09-10 7',
    })
  }
  if (values.demo) requireDemoData(context.env)
  const dir = place(values.dir, '--dir')
  context.touches?.({ role: 'output', kind: 'files', location: dir })
  const io = await openStore(dir, s3Settings(context.env))
  const { days, emails, events, seed } = values
  const settings = {
    dir,
    firstDate,
    days,
    emails,
    events,
    seed,
    ifMissing: values['if-missing'],
    replace: values.replace,
  }
  return generate(io, { ...settings, demo: values.demo }, context)
}
