import { stat } from 'node:fs/promises'
import type { JobContext } from '../../context.ts'
import { asError } from '../../errors.ts'
import type { Run, Summary } from '../../summary.ts'

type Given = Readonly<Record<string, unknown>>

/** How long the store may take; whoever sent a signal waits for the end. */
const longestMs = 20_000
const longestAfterSignalMs = 5_000

/**
 * Leaves a run's summary where its command says, without secrets and with the task of Airflow that it was of, and removes old ones of
 * its job. Never fails and never takes longer than 20 s: what went wrong is one warning of a run that
 * has not failed by itself.
 */
export async function leaveSummary(
  module: {
    readonly runsPlace?: (
      given: Given,
      env: JobContext['env'],
      summary: Summary,
    ) => Promise<string | undefined>
  },
  given: Given,
  summary: Summary,
  { env, logger, signal, now }: Pick<JobContext, 'env' | 'logger' | 'signal' | 'now'>,
): Promise<void> {
  let folder: string | undefined
  try {
    folder = await module.runsPlace?.(given, env, summary)
    if (folder === undefined || !(await mayMake(folder, summary, env))) return
    const ms = signal.aborted ? longestAfterSignalMs : longestMs
    await withinMs(ms, (limit) => leaveAt(folder!, ms, limit))
  } catch (error) {
    const at = folder === undefined ? '' : ` in ${folder}`
    // What a run has failed with is its one line; mostly it is what keeps the summary from its place, too.
    const level = summary.exit === 0 || signal.aborted ? 'warn' : 'debug'
    logger[level](`this run's summary could not be left${at}: ${asError(error).message}`)
  }

  async function leaveAt(at: string, stallTimeoutMs: number, limit: AbortSignal): Promise<void> {
    const [{ leaveRun, pruneRuns }, { openFileIO }, { s3Settings }, { airflowRun }, { withoutSecrets }] =
      await Promise.all([
        import('../../runs/leave-run.ts'),
        import('../../storage/open.ts'),
        import('../../settings/settings.ts'),
        import('../../settings/airflow-run.ts'),
        import('../../settings/secrets.ts'),
      ])
    const isStore = at.startsWith('s3://')
    const io = await openFileIO(
      at,
      isStore ? { ...s3Settings(env, stallTimeoutMs), attempts: 2 } : { region: '' },
    )
    const airflow = airflowRun(env)
    const run: Run = { ...summary, ...(airflow && { airflow }) }
    const clean = (text: string): string => withoutSecrets(text, env)
    await leaveRun(io, at, withCleanMessages(run, clean) as Run, limit)
    await pruneRuns(io, at, summary.job, now(), limit)
  }
}

/**
 * A run that failed makes no folder that nobody has named: a call with a wrong day leaves nothing behind. Where `init` or a run that
 * went well has made it, and in the places of the settings, it leaves its summary as others do.
 */
const mayMake = async (folder: string, { exit }: Summary, env: JobContext['env']): Promise<boolean> =>
  exit === 0 ||
  env['LAKEJOBS_RUNS'] !== undefined ||
  env['WAREHOUSE'] !== undefined ||
  !folder.startsWith('file://') ||
  (await stat(folder.slice('file://'.length)).then(
    () => true,
    () => false,
  ))

/** `work`, or the limit's error where it takes longer; it is not waited for then. */
async function withinMs(ms: number, work: (limit: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController()
  const limit = setTimeout(() => {
    over.abort(new Error(`it took longer than ${ms / 1000} s`))
  }, ms)
  const aborted = new Promise<never>((_, reject) => {
    over.signal.addEventListener('abort', () => {
      reject(asError(over.signal.reason))
    })
  })
  try {
    await Promise.race([work(over.signal), aborted])
  } finally {
    clearTimeout(limit)
  }
}

/** Fields whose texts are somebody's message, with names of their own beside them. */
const messages = new Set(['message', 'fix', 'error', 'errors', 'warnings', 'reason', 'note'])

/** The same with every message in it cleaned, however deep. */
function withCleanMessages(value: unknown, clean: (text: string) => string, isMessage = false): unknown {
  if (typeof value === 'string') return isMessage ? clean(value) : value
  if (Array.isArray(value)) return value.map((one) => withCleanMessages(one, clean, isMessage))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withCleanMessages(one, clean, messages.has(name))]),
  )
}
