import { addDays, dayOf } from '../calendar.ts'
import type { JobContext, ResultOutput } from '../context.ts'
import type { CommandSpec, OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'

const options = {
  job: {
    kind: 'choice',
    choices: ['export', 'verify', 'maintain', 'aggregate', 'seed', 'generate'],
    describe: 'of this job alone',
  },
  since: { kind: 'day', describe: 'first day (UTC) that they began on (default: 7 days ago)' },
  failed: { kind: 'flag', describe: 'only those that failed' },
  json: { kind: 'flag', describe: 'print JSON, for programs: the whole summaries' },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'runs',
  describe: 'Show the runs of jobs that there were, oldest first, and what came of them.',
  prints: true,
  positionals: ['job'],
  options,
  examples: [
    ['lakejobs runs', 'of the last seven days'],
    ['lakejobs runs --failed --since 2024-09-01', 'what went wrong since'],
    ['lakejobs runs export --json', 'for programs'],
  ],
  epilogue:
    'What the last verify of a table found wrong is told at the end, until one proves it. Each run leaves its summary, for 90 days, in LAKEJOBS_RUNS (default: runs beside the warehouse; of CRUD logs without one, .lakejobs/runs in the folder of the results). Not those that only look, dry runs, and what was killed by SIGKILL.',
} as const satisfies CommandSpec<typeof options>

export async function run(
  { job, since, failed, json }: OptionValues<typeof options>,
  { env, now, logger }: JobContext,
  output: ResultOutput,
): Promise<Outcome> {
  const [{ runsOf }, { runsText, wrongText }, { wrongRows }, { daysKept }] = await Promise.all([
    import('./runs/read.ts'),
    import('./runs/text.ts'),
    import('../report/model/wrong-rows.ts'),
    import('../runs/leave-run.ts'),
  ])
  const first = since ?? addDays(dayOf(now()), -7)
  const { runs, unreadable } = await runsOf(env, { job, since: first })
  const shown = failed ? runs.filter(({ status }) => status === 'failed') : runs
  const isOfVerify = job === undefined || job === 'verify'
  const verifies = { job: 'verify', since: addDays(dayOf(now()), -daysKept) }
  const wrong = isOfVerify ? wrongRows((await runsOf(env, verifies)).runs) : []
  for (const location of unreadable) logger.warn(`${location} is no summary of a run, and is passed over`)
  const screen = { width: output.columns, colours: output.colours }
  const text = runsText(shown, screen) || `no run${failed ? ' that failed' : ''} since ${first}\n`
  await output.write(
    json
      ? `${JSON.stringify({ runs: shown, ...(wrong.length > 0 && { wrong }) })}\n`
      : text + wrongText(wrong, screen),
  )
  return {}
}
