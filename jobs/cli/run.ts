import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { commands, type CommandModule } from '../commands/index.ts'
import type { JobContext, ResultOutput } from '../context.ts'
import { parseDotenv } from './dotenv.ts'
import { asError, exitCodes, Interrupted, JobError, systemCode, usageError } from '../errors.ts'
import { createLogger, logFormats, logLevels } from '../logger.ts'
import type { OptionTable, OptionValues } from '../options/options.ts'
import { placePositionals } from '../options/positionals.ts'
import { createProgress } from '../progress.ts'
import { roleOf, settingsOf } from './role-settings.ts'
import { createStages } from './stages.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import { settingsText } from '../options/settings-text.ts'
import { metricsOptions } from '../telemetry/metrics/options.ts'
import type { LineageRun } from '../telemetry/open-lineage/lineage-run.ts'
import { summaryTable } from './summary-table.ts'
import { capLists, isPlanAlone, outcomeOf, type Outcome, type Summary } from '../summary.ts'

export type Signal = Interrupted['signal']

/** The process, as far as a run may touch it; main.ts hands it in. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where `.env` is looked for. */
  readonly folder: string
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Standard error is one; then logs are for people. */
  readonly terminal: boolean
  readonly stdoutIsTerminal: boolean
  /** Standard output for results, however long: each text is waited for. */
  readonly output: ResultOutput
  /** Signals go to this listener from now on, with those that came before. */
  readonly onSignal: (listener: (name: Signal) => void) => void
  /** What packages and Node.js warn of goes to this listener from now on. */
  readonly onWarning: (listener: (warning: Error) => void) => void
  /** Sets a name of the process's own environment: the AWS SDK reads it there, not from us. */
  readonly setEnvironment: (name: string, value: string) => void
  readonly exitNow: (code: number) => void
}

const signalExits = { SIGINT: 130, SIGTERM: 143 } as const

const logOptions = {
  'log-format': { kind: 'choice', choices: logFormats, describe: 'log format', env: 'LAKEJOBS_LOG_FORMAT' },
  'log-level': {
    kind: 'choice',
    choices: logLevels,
    describe: 'log level',
    env: 'LAKEJOBS_LOG_LEVEL',
    default: 'info',
  },
} as const satisfies OptionTable

/**
 * Runs one command, given the words and flags after its name, from flags to summary line: settings, logger, signals,
 * the job, the report.
 *
 * @returns the exit status (docs/architecture.md, "exit codes")
 */
export async function runJob(
  module: CommandModule,
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  host: Host,
): Promise<number> {
  const { command } = module
  const started = new Date()
  const runId = randomUUID()
  const interruption = new AbortController()
  // Every connection, file and thread listens; their number is bounded by the work, not by ten.
  setMaxListeners(0, interruption.signal)
  let logger = createLogger({ format: host.terminal ? 'pretty' : 'json', level: 'info' })
  let outcome: Outcome = {}
  let failure: unknown
  let forPeople = false
  let context: JobContext | undefined
  let known = flags
  let metrics: OptionValues<typeof metricsOptions> | undefined
  let lineage: LineageRun | undefined
  const stages = createStages(() => performance.now())
  host.onSignal((name) => {
    if (interruption.signal.aborted) host.exitNow(signalExits[name])
    logger.warn(`${name}: stopping and cleaning up; once more stops at once`)
    interruption.abort(new Interrupted(name))
  })
  host.onWarning((warning) => {
    logger.debug({ err: warning }, 'a warning for developers')
  })
  try {
    const general = readEnvironment(host)
    const { env, nameOf } = settingsOf(roleOf(command.name, flags), general)
    // Keys, profile, role and what else the SDK knows, of .env too; what the command's role has not is unset there.
    for (const name of Object.keys({ ...general, ...env }))
      if (name.startsWith('AWS_')) host.setEnvironment(name, env[name] ?? '')
    const logging = resolveOptions(logOptions, flags, env)
    const format = logging['log-format'] ?? (host.terminal ? 'pretty' : 'json')
    logger = createLogger({ format, level: logging['log-level'] })
    forPeople = format === 'pretty' && logging['log-level'] !== 'silent'
    const given = placePositionals(command, words, flags)
    known = given
    const progress = createProgress({
      terminal: host.terminal && forPeople,
      write: host.stderr,
      logger,
      clock: () => performance.now(),
    })
    context = {
      runId,
      now: () => new Date(),
      logger,
      progress,
      during: stages.during,
      signal: interruption.signal,
      env,
      originOf: origins({ ...command.options, ...logOptions, ...metricsOptions }, given, host, env, nameOf),
      optionNames,
    }
    const options = resolveOptions(command.options, given, env)
    metrics = resolveOptions(metricsOptions, flags, env)
    known = options
    // A signal that came meanwhile waits for the event loop, which has not turned yet where Node.js (24) loads files at once.
    await setImmediate()
    interruption.signal.throwIfAborted()
    if (module.runsPlace !== undefined && options['dry-run'] !== true && namesLineage(env)) {
      const { startLineage } = await import('../telemetry/open-lineage/lineage-run.ts')
      lineage = startLineage(command.name, options, context)
      context = { ...context, ...(lineage && { touches: lineage.touches }) }
    }
    outcome = await module.run(options, context, host.output, given)
  } catch (error) {
    // What an abort broke reports itself in many ways; the reason is the signal. What nobody knows yet stays said.
    const isUnknown = error instanceof JobError && error.code === 'unknownCommit'
    failure = interruption.signal.aborted && !isUnknown ? interruption.signal.reason : error
    outcome = outcomeOf(failure)
  }
  const ended = new Date()
  const summary = summarise(
    command.name,
    { runId, started, ended, stages: stages.seconds() },
    outcome,
    failure,
  )
  const told = lineage?.end(summary, outcome)
  // A file may say `dry-run`, too.
  if (context !== undefined && module.runsPlace !== undefined && !isPlanAlone(outcome)) {
    const { leaveSummary } = await import('../commands/runs/leave.ts')
    await leaveSummary(module, known, summary, context)
    if ((metrics?.['metrics-file'] ?? metrics?.['metrics-push']) !== undefined && known['dry-run'] !== true) {
      const { leaveMetrics } = await import('../telemetry/metrics/leave-metrics.ts')
      await leaveMetrics(metrics!, summary, outcome.tables ?? [], context)
    }
  }
  await told
  const prints = command.prints === true || (command.prints !== undefined && flags[command.prints] === true)
  if (forPeople && !prints) host.stderr(summaryTable(outcome, summary.seconds))
  if (failure !== undefined) logFailure(logger, failure)
  if (!prints && !(forPeople && readsBoth(host))) host.stdout(`${JSON.stringify(summary)}\n`)
  return summary.exit
}

/**
 * Reports a command line that could not be parsed, in the form of every other failure.
 *
 * @param prints whether standard output is for the command's result
 */
export function reportUsage(job: string, prints: boolean, error: unknown, host: Host): number {
  const now = new Date()
  logFailure(createLogger({ format: host.terminal ? 'pretty' : 'json', level: 'info' }), error)
  const summary = summarise(job, { runId: randomUUID(), started: now, ended: now }, {}, error)
  if (!prints && !readsBoth(host)) host.stdout(`${JSON.stringify(summary)}\n`)
  return summary.exit
}

/** A person who has read the table and the failure needs no line for machines behind them (operations-spec §1.2). */
const readsBoth = ({ terminal, stdoutIsTerminal }: Host): boolean => terminal && stdoutIsTerminal

const namesLineage = (env: JobContext['env']): boolean =>
  Object.keys(env).some((name) => name.startsWith('OPENLINEAGE_'))

/** process.env over `.env`, without empty values: empty means unset. */
function readEnvironment({ env, folder }: Host): Record<string, string> {
  const path = join(folder, '.env')
  let file: Record<string, string> = {}
  try {
    file = parseDotenv(settingsText(readFileSync(path)), env)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') {
      throw usageError(`.env cannot be read: ${asError(error).message}`, {
        field: '.env',
        fix: `mend ${path}`,
        cause: error,
      })
    }
  }
  return { ...saidOf(file), ...saidOf(env) }
}

/** Tells where each name's value comes from; what is neither flag nor in the environment is in `.env`, if anywhere. */
function origins(
  table: OptionTable,
  given: Readonly<Record<string, unknown>>,
  { env: outer }: Host,
  env: Readonly<Record<string, string>>,
  nameOf: (name: string) => string,
): JobContext['originOf'] {
  const flags = Object.entries(table).filter(([name]) => given[name] !== undefined)
  const said = saidOf(outer)
  return (name) => {
    if (flags.some(([, { env: flagName }]) => flagName === name)) return 'flag'
    if (said[nameOf(name)] !== undefined) return 'environment'
    return env[name] === undefined ? 'default' : '.env'
  }
}

async function optionNames(): Promise<readonly string[]> {
  const modules = await Promise.all(Object.values(commands).map(({ load }) => load()))
  return modules.flatMap((module) => Object.values(module.command.options).flatMap(({ env }) => env ?? []))
}

/**
 * Settings that are names or places, or lists and numbers of such: blanks around them are not meant, as in a list's items. Keys and
 * passwords are taken as they are.
 */
const trimmed =
  /^(?:LAKEJOBS_(?!HASH_KEY$)|ICEBERG_(?:CATALOG_NAME|NAMESPACE)$|WAREHOUSE$|PARQUET_LOCATION$|CRUD_|EXPORT_|S3_)/

/** What is set; an empty value is none. */
const saidOf = (env: Host['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, text = '']) => {
      const value = trimmed.test(name) ? text.trim() : text
      return value === '' ? [] : [[name, value]]
    }),
  )

function logFailure(logger: Logger, failure: unknown): void {
  const error = asError(failure)
  if (error instanceof JobError) {
    const line = error.fix === undefined ? error.message : `${error.message}: ${error.fix}`
    if (error.code === 'nothingToDo') logger.info(line)
    else
      logger.error({ code: error.code, ...(error.field === undefined ? {} : { field: error.field }) }, line)
  } else if (error instanceof Interrupted) {
    logger.warn(error.message)
  } else {
    logger.error(error.message)
  }
  logger.debug({ err: error }, 'stack of the failure')
}

interface Run {
  readonly runId: string
  readonly started: Date
  readonly ended: Date
  readonly stages?: NonNullable<Summary['stages']>
}

function summarise(
  job: string,
  { runId, started, ended, stages = {} }: Run,
  outcome: Outcome,
  failure: unknown,
): Summary {
  const exit = failure === undefined ? 0 : exitOf(failure)
  return {
    job,
    status: exit === 0 ? 'ok' : exit === exitCodes.nothingToDo ? 'skipped' : 'failed',
    exit,
    runId,
    startedAt: started.toISOString(),
    seconds: Math.round(ended.getTime() - started.getTime()) / 1000,
    ...(Object.keys(stages).length > 0 && { stages }),
    ...capLists(outcome),
    ...(exit === 0 ? {} : { error: describe(failure) }),
  }
}

function exitOf(failure: unknown): number {
  if (failure instanceof JobError) return exitCodes[failure.code]
  if (failure instanceof Interrupted) return signalExits[failure.signal]
  return exitCodes.failed
}

function describe(failure: unknown): NonNullable<Summary['error']> {
  const { message } = asError(failure)
  if (!(failure instanceof JobError))
    return { code: failure instanceof Interrupted ? 'interrupted' : 'failed', message }
  return {
    code: failure.code,
    message,
    ...(failure.field === undefined ? {} : { field: failure.field }),
    ...(failure.fix === undefined ? {} : { fix: failure.fix }),
  }
}
