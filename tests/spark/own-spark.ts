import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { freePort } from '../support/free-port.ts'

/** A Spark of one test alone, which may be broken: scripts/spark with ports of its own. */
export interface OwnSpark {
  readonly address: string
  /** Kills the executors that there are with SIGKILL; says how many. */
  killExecutors(): number
  /** Ends all of it, and starts it anew at the same address. */
  restart(): Promise<void>
  /** Until nothing more has room on `disk`, nor has where Spark removes what it no longer needs. */
  fillDisk(): Promise<void>
  makeRoom(): Promise<void>
  stop(): Promise<void>
}

const script = join(import.meta.dirname, '../../scripts/spark')
const startMs = 180_000

/**
 * `disk`: a folder that becomes a disk of its own, on which Spark shuffles; needs Linux and root. `more`: of the environment, such as
 * those of an object store.
 */
export async function startOwnSpark(
  disk?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<OwnSpark> {
  const [port, masterPort, uiPort] = [await freePort(), await freePort(), await freePort()].map(String)
  const ports = ['--port', port!, '--master-port', masterPort!, '--ui-port', uiPort!]
  const mounted = 'mount -t tmpfs -o size=100m tmpfs "$1" && shift && exec "$@"'
  const [program, ...words] =
    disk === undefined
      ? [script, ...ports]
      : ['unshare', '-m', 'sh', '-c', mounted, 'sh', disk, script, ...ports]
  const start = async (): Promise<() => Promise<void>> => {
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
      env: { ...process.env, ...more, ...(disk !== undefined && { SPARK_LOCAL_DIRS: disk }) },
    })
    const ended = once(child, 'exit')
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM')
      await ended
    }
    let said = ''
    const ready = new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.includes('Ctrl-C ends them')) resolve()
      })
    })
    const late = new Promise<never>((_, reject) =>
      setTimeout(() => {
        reject(new Error(`scripts/spark is not ready: ${said}`))
      }, startMs).unref(),
    )
    const early = ended.then(() => Promise.reject(new Error('scripts/spark has ended before it was ready')))
    // It is looked at until it is ready only.
    early.catch(() => undefined)
    try {
      await Promise.race([ready, early, late])
    } catch (error) {
      await stop()
      throw error
    }
    namespace = child.pid!
    folder = /^Logs +(.+)$/m.exec(said)![1]!
    return stop
  }
  let namespace = 0
  let folder = ''
  let stop = await start()
  /** Where Spark sees the disk, nobody else does. */
  const atDisk = (command: string): ChildProcessByStdio<null, Readable, null> =>
    spawn('nsenter', ['-t', String(namespace), '-m', 'sh', '-c', command, 'sh', disk!], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
  let filler: ChildProcessByStdio<null, Readable, null> | undefined
  const stopFilling = async (): Promise<void> => {
    if (filler === undefined) return
    const ended = once(filler, 'exit')
    process.kill(-filler.pid!, 'SIGKILL')
    await ended
    filler = undefined
  }
  return {
    address: `sc://127.0.0.1:${port}`,
    killExecutors() {
      const executors = executorsOf(folder)
      for (const pid of executors) process.kill(pid, 'SIGKILL')
      return executors.length
    },
    async restart() {
      await stop()
      stop = await start()
    },
    async fillDisk() {
      const starting = atDisk('while true; do cat /dev/zero >>"$1/full"; echo full; sleep 0.02; done')
      const gone = once(starting, 'exit').then(() =>
        Promise.reject(new Error('nsenter has ended: no disk is filled')),
      )
      // It is looked at until the disk is full only.
      gone.catch(() => undefined)
      await Promise.race([once(starting.stdout, 'data'), gone])
      starting.stdout.resume()
      filler = starting
    },
    async makeRoom() {
      await stopFilling()
      await once(atDisk('rm "$1/full"'), 'exit')
    },
    async stop() {
      await stopFilling()
      await stop()
    },
  }
}

/** The executors of the worker that has its files below the folder. */
function executorsOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return (
          command.includes('CoarseGrainedExecutorBackend') &&
          readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`)
        )
      } catch {
        return false
      }
    })
    .map(Number)
}
