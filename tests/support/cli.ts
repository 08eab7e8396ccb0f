import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { summarySchema, type Summary } from '../../jobs/summary.ts'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'dist/main.js')

const newest = (folder: string): number =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      // The kernel's compiler is installed there while other parts of the tests run.
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  )

/** Compiles jobs/ to dist/ when it is older: the command line is tested as users run it. */
export function build(): void {
  if (existsSync(main) && newest(join(root, 'dist')) >= newest(join(root, 'jobs'))) return
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: root })
}

export interface Ran {
  readonly exit: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ran>
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** A program and arguments that run Node: `setpriv --reuid=…`. */
  readonly through?: readonly string[]
}

/** Starts `lakejobs` with none of our own environment but the path. */
export function start(args: readonly string[], { cwd, env = {}, through = [] }: RunOptions): Running {
  const [program = '', ...rest] = [...through, process.execPath, main, ...args]
  const child = spawn(program, rest, {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text))
  }
  const ended = once(child, 'close').then(([exit, signal]): Ran => ({
    exit: exit as number | null,
    signal: signal as NodeJS.Signals | null,
    ...texts,
  }))
  return { child, ended }
}

export const run = (args: readonly string[], options: RunOptions): Promise<Ran> => start(args, options).ended

/** The one line that a job prints, held against its schema, unknown fields refused. */
export function summaryOf({ stdout, exit }: Pick<Ran, 'stdout' | 'exit'>): Summary {
  const [line = '', rest] = stdout.split(/(?<=\n)/)
  if (!line.endsWith('\n') || rest !== undefined) throw new Error(`not one line: ${JSON.stringify(stdout)}`)
  const summary = v.parse(v.strictObject(summarySchema.entries), JSON.parse(line))
  if (summary.exit !== exit) throw new Error(`exit ${String(exit)}, but the summary says ${summary.exit}`)
  return summary
}
