import { createRequire } from 'node:module'
import type PinoPretty from 'pino-pretty'
import pino, { type LogFn, type Logger } from 'pino'

export const logFormats = ['pretty', 'json'] as const
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

export interface LogSettings {
  readonly format: (typeof logFormats)[number]
  readonly level: (typeof logLevels)[number]
}

/**
 * Logs go to standard error, synchronously: a line written before kill -9 is not lost, and standard output
 * stays free for the summary. `json` (one object per line) is for machines; `pretty` for people, who read sentences: fields of
 * what went well, and what only names a run's files, are for the level debug.
 */
export function createLogger({ format, level }: LogSettings): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (format === 'json') {
    return pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, stderr())
  }
  // Loaded only where somebody looks: machines never pay for it.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty
  const stream = pretty({
    destination: stderr(),
    colorize: process.stderr.isTTY,
    translateTime: 'HH:MM:ss',
    singleLine: true,
    // The sentence says them.
    ...(level === 'debug' ? {} : { ignore: 'code,field' }),
  })
  return pino({ ...options, ...(level === 'debug' ? {} : { hooks: { logMethod } }) }, stream)
}

/** Fields of lines by which a killed run's files are found. */
const traces = ['operation', 'metadata']

/** A line of the level info without its fields; none at all for a trace. */
function logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const [fields, ...sentence] = args as unknown as readonly unknown[]
  const isPlain = level !== pino.levels.values['info'] || typeof fields !== 'object' || fields === null
  if (isPlain) method.apply(this, args)
  else if (!traces.some((trace) => trace in fields))
    method.apply(this, sentence as unknown as Parameters<LogFn>)
}

const stderr = () => pino.destination({ dest: 2, sync: true })
