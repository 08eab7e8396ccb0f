import type { JobContext } from '../context.ts'
import type { CommandSpec, OptionValues } from '../options.ts'
import type { Outcome } from '../summary.ts'

const options = {
  dir: {
    kind: 'place',
    env: 'CRUD_INPUT',
    describe: 'folder of the logs: a path, file:// or s3://',
    default: './data/crud/input',
  },
  'first-date': { kind: 'day', describe: 'first day, YYYY-MM-DD' },
  days: { kind: 'count', minimum: 1, describe: 'number of days', default: '1' },
  emails: {
    kind: 'count',
    minimum: 1,
    env: 'LAKEJOBS_EMAILS',
    describe: 'number of different emails',
    default: '10',
  },
  events: { kind: 'count', env: 'LAKEJOBS_EVENTS', describe: 'events per day', default: '2000' },
  seed: {
    kind: 'count',
    env: 'LAKEJOBS_SEED',
    describe: 'the same number gives the same files',
    default: '42',
  },
  'if-missing': { kind: 'flag', env: 'LAKEJOBS_IF_MISSING', describe: 'leave days that exist as they are' },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'aggregate',
  describe:
    'Write daily CRUD logs (YYYY-MM-DD.csv: email,action,timestamp) of any size, the same bytes for the same seed.',
  positionals: ['dir', 'first-date', 'days', 'emails', 'events'],
  options,
  examples: [
    ['lakejobs aggregate data/crud/input 2024-09-10 7 10 2000', 'a week with ten users'],
    ['lakejobs aggregate s3://logs/crud 2024-09-10 1 1000000 3000000', 'three million events straight to S3'],
  ],
} as const satisfies CommandSpec<typeof options>

export function run(values: OptionValues<typeof options>, context: JobContext): Promise<Outcome> {
  context.logger.info(values)
  return Promise.resolve({ from: values['first-date'] })
}
