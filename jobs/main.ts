#!/usr/bin/env node
import type { Host, Signal } from './cli/run.ts'

/**
 * The entry point: the only reader of process.env and the only setter of the exit code. Nothing is loaded before it
 * listens to signals: as PID 1 of a container the process would not get what nobody listens to. What arrives before a
 * job does is kept for it.
 */
const early: Signal[] = []
let listener = (name: Signal): void => {
  early.push(name)
}
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    listener(name)
  })
}

/**
 * A reader that is gone (`| head`) wants nothing more: the job's own result stays its exit status. A summary that could not be
 * written for another reason, such as a full disk, is a failure.
 */
let lost: NodeJS.ErrnoException | undefined
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error
  })
}

const { NO_COLOR = '' } = process.env
const host: Host = {
  env: process.env,
  folder: process.cwd(),
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY,
  stdoutIsTerminal: process.stdout.isTTY,
  output: {
    write: (text) =>
      new Promise((resolve) => {
        process.stdout.write(text, () => {
          resolve()
        })
      }),
    // A terminal that does not know its width says 0.
    columns: process.stdout.isTTY ? process.stdout.columns || 80 : undefined,
    colours: process.stdout.isTTY && NO_COLOR === '',
  },
  onSignal(next) {
    listener = next
    early.splice(0).forEach(next)
  },
  onWarning(next) {
    // By itself Node.js prints them over several lines, where others expect one JSON object a line.
    process.removeAllListeners('warning').on('warning', next)
  },
  setEnvironment(name, value) {
    process.env[name] = value
  },
  exitNow: (code) => process.exit(code),
}
const { runCli } = await import('./cli/cli.ts')
const exit = await runCli(process.argv.slice(2), host)
// What came where the event loop did not turn: help needs nothing to wait for.
await new Promise((resolve) => setImmediate(resolve))
const [stopped] = early
process.exitCode = stopped === undefined ? exit : stopped === 'SIGINT' ? 130 : 143
if (lost !== undefined) {
  process.stderr.write(`standard output cannot be written: ${lost.message}\n`)
  if (process.exitCode === 0) process.exitCode = 1
}
