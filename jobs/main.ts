#!/usr/bin/env node
import type { Host, Signal } from './run.ts'

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

const host: Host = {
  env: process.env,
  folder: process.cwd(),
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY,
  onSignal(next) {
    listener = next
    early.splice(0).forEach(next)
  },
  onWarning(next) {
    // By itself Node.js prints them over several lines, where others expect one JSON object a line.
    process.removeAllListeners('warning').on('warning', next)
  },
  exitNow: (code) => process.exit(code),
}
const { runCli } = await import('./cli.ts')
const exit = await runCli(process.argv.slice(2), host)
// What came where the event loop did not turn: help needs nothing to wait for.
await new Promise((resolve) => setImmediate(resolve))
const [stopped] = early
process.exitCode = stopped === undefined ? exit : stopped === 'SIGINT' ? 130 : 143
