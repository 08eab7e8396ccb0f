import { afterEach, beforeEach, expect } from '@jest/globals'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pino from 'pino'
import { aggregate } from '../../jobs/aggregate/aggregate.ts'
import type { AggregateOptions } from '../../jobs/aggregate/run.ts'
import { planWindows } from '../../jobs/aggregate/window.ts'
import type { JobContext } from '../../jobs/context.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { capLists, type Outcome } from '../../jobs/summary.ts'
import { current } from '../support/current.ts'
import { memoryFolder } from '../support/memory-folder.ts'

/** What a test says about a run; all else is as the command line would make it. */
export interface Asked extends Partial<Omit<AggregateOptions, 'windows' | 'input' | 'output' | 'cache'>> {
  readonly date?: string
  /** Days in a window. */
  readonly length?: number
  readonly from?: string
  readonly to?: string
  /** Folders below the bench. */
  readonly input?: string
  readonly output?: string
  readonly cache?: string
  /** The clock's lead over the files' times, milliseconds: 10 s make a file old enough to be known by its inode. */
  readonly later?: number
  readonly signal?: AbortSignal
  /** Called with the first bytes that are read, once. */
  readonly whileReading?: () => void
}

/** A folder with input, output, cache and scratch, and the whole job over it in this process. */
export interface Bench {
  readonly folder: string
  run(asked?: Asked): Promise<Outcome>
  /** Messages of level warn of all runs so far. */
  readonly warnings: string[]
  /** Writes `input/<name>`. */
  log(name: string, content: string | Uint8Array): Promise<void>
  write(path: string, content: string | Uint8Array): Promise<void>
  read(path: string): Promise<string>
  /** Files below `path`, sorted, relative to it; none if it does not exist. */
  files(path: string): Promise<string[]>
  /** Removes a folder and all below it. */
  forget(path: string): Promise<void>
  remove(): Promise<void>
}

export async function createBench(): Promise<Bench> {
  const folder = await mkdtemp(join(memoryFolder, 'lakejobs-aggregate-'))
  const warnings: string[] = []
  const write = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  await Promise.all(['input', 'scratch'].map((name) => mkdir(join(folder, name))))
  return {
    folder,
    warnings,
    write,
    log: (name, content) => write(`input/${name}`, content),
    read: (path) => readFile(join(folder, path), 'utf8'),
    async files(path) {
      const entries = await readdir(join(folder, path), { recursive: true, withFileTypes: true }).catch(
        () => [],
      )
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, path).length + 1))
        .sort()
    },
    forget: (path) => rm(join(folder, path), { recursive: true, force: true }),
    remove: () => rm(folder, { recursive: true, force: true }),
    async run(asked = {}) {
      const { date, from, to, length = 7, later = 0, signal, whileReading, ...options } = asked
      const io = localFileIO()
      const place = (name: string): string => `file://${folder}/${name}`
      const output = place(asked.output ?? 'output')
      let reading = whileReading
      const add = (): void => {
        const once = reading
        reading = undefined
        once?.()
      }
      const context: JobContext = {
        runId: '00000000-0000-4000-8000-000000000000',
        now: () => new Date(Date.now() + later),
        logger: warningsTo(warnings),
        progress: { start: () => ({ add, done: () => undefined }) },
        during: (_, work) => work(),
        signal: signal ?? new AbortController().signal,
        env: {},
        originOf: () => 'default',
        optionNames: () => Promise.resolve([]),
      }
      const windows = planWindows({
        date: date ?? (from === undefined ? '2024-09-16' : undefined),
        from,
        to,
        days: length,
        yesterday: '2024-09-16',
      })
      return capLists(
        await aggregate(
          {
            rejects: `${output}/.lakejobs/rejects`,
            missingDays: 'ignore',
            maxRejects: { share: 1 },
            maxShrink: 1,
            refresh: false,
            verifyCache: false,
            cacheDays: 90,
            threads: 2,
            memoryLimit: 512 * 2 ** 20,
            scratch: join(folder, 'scratch'),
            ...options,
            windows,
            input: place(asked.input ?? 'input'),
            output,
            cache: place(asked.cache ?? 'cache'),
          },
          { input: io, output: io, cache: io, s3: { region: 'us-east-1' } },
          context,
        ),
      )
    },
  }
}

function warningsTo(warnings: string[]): JobContext['logger'] {
  const stream = {
    write(line: string) {
      warnings.push((JSON.parse(line) as { msg: string }).msg)
    },
  }
  return pino({ level: 'warn' }, stream)
}

/** A bench for each test of a file. Whatever happened on it: nothing temporary is left, in any folder. */
export function eachWithBench(): Bench {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
  })
  afterEach(async () => {
    expect((await bench.files('.')).filter((name) => name.includes('.tmp'))).toEqual([])
    expect(await bench.files('scratch')).toEqual([])
    await bench.remove()
  })
  return current(() => bench)
}

export const day = '2024-09-16'
export const header = 'email,create_count,read_count,update_count,delete_count\n'
/** A line of a log. */
export const row = (email: string, action = 'READ', time = `${day} 12:26:57`): string =>
  `${email},${action},${time}\n`
