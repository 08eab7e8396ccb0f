import { createRequire } from 'node:module'
import type PinoPretty from 'pino-pretty'
import pino, { type Logger } from 'pino'

export const logFormats = ['pretty', 'json'] as const
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

export interface LogSettings {
  readonly format: (typeof logFormats)[number]
  readonly level: (typeof logLevels)[number]
}

/**
 * Logs go to standard error, synchronously: a line written before kill -9 is not lost, and standard output
 * stays free for the summary. `pretty` is for people, `json` (one object per line) for machines.
 */
export function createLogger({ format, level }: LogSettings): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (format === 'json') {
    return pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, stderr())
  }
  // Loaded only where somebody looks: machines never pay for it.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty
  const stream = pretty({ destination: stderr(), colorize: process.stderr.isTTY, translateTime: 'HH:MM:ss' })
  return pino(options, stream)
}

const stderr = () => pino.destination({ dest: 2, sync: true })
