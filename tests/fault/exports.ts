import { expect } from '@jest/globals'
import type { IncomingMessage } from 'node:http'
import { run, start, summaryOf, type Ran } from '../support/cli.ts'
import type { Fault } from '../support/faulty-proxy.ts'
import type { Statement } from './postgres-proxy.ts'
import {
  catalogDatabase,
  countRows,
  orphansOf,
  sourceDatabase,
  sourceOf,
  stateOf,
  type Stores,
} from './stores.ts'

export type Mode = 'full' | 'day'

/** Exports of small tables by the command line, through proxies that fail, and what has to hold after each. */
export interface Exports {
  /** A source table of 600 rows over two days: `id`, `v`, `at`. */
  makeSource(table: string): Promise<void>
  /** Changes every row. */
  change(table: string): Promise<void>
  /** The table's target as `stateOf` has it, in words; undefined when there is none. */
  stateText(table: string): Promise<string | undefined>
  export(table: string, mode: Mode): Promise<Ran>
  /** Runs an export that is killed at its `n`-th point (from 0), ahead of it, and says which points it came to. */
  killedAt(table: string, mode: Mode, n: number, which?: PointFilter): Promise<{ ran: Ran; points: string[] }>
  /** Whole and exact as before or as the source now, and only files that `logged` names beside it. */
  checkBroken(table: string, before: string | undefined, logged: readonly string[]): Promise<void>
  /** Runs the export again: exact, plain Parquet too, and nothing but named files beside it. */
  checkRerun(table: string, mode: Mode, logged: readonly string[]): Promise<void>
}

/** Which requests and statements count. */
export interface PointFilter {
  readonly statement: (statement: Statement) => boolean
  readonly request: (request: IncomingMessage) => boolean
}

/** What changes a store or the catalog; between two of these every kill leaves the same. */
export const effects: PointFilter = {
  statement: ({ sql, database }) =>
    database === catalogDatabase && /^\s*(UPDATE|INSERT|CREATE|COMMIT)/.test(sql),
  request: ({ method }) => method !== 'GET' && method !== 'HEAD',
}

export const everything: PointFilter = { statement: () => true, request: () => true }

export function exportsOn(stores: Stores, cwd: string): Exports {
  const sql = (text: string): Promise<unknown> => stores.server.query(text, [], sourceDatabase)
  const flags = (table: string, mode: Mode): string[] => [
    'export',
    ...['--table', `public.${table}=default.${table}`, '--connections', '1'],
    ...(mode === 'day' ? ['--from', '2024-09-01', '--to', '2024-09-02'] : ['--mode', 'full']),
  ]
  const text = ({ rows, sum }: { rows: number; sum: bigint }): string => `${rows} rows, sum ${sum}`
  const sourceText = async (table: string): Promise<string> => text(await sourceOf(stores, table))
  const stateText = async (table: string): Promise<string | undefined> => {
    const state = await stateOf(stores, table)
    return state && text(state)
  }
  const plainText = async (table: string, mode: Mode): Promise<string> => {
    const folders =
      mode === 'full' ? [table] : ['01', '02'].map((day) => `${table}_by_day/at_day=2024-09-${day}`)
    const all = { rows: 0, sum: 0n }
    for (const folder of folders) {
      const part = await countRows(await stores.io.read(`s3://lake/parquet/${folder}/${table}.parquet`))
      all.rows += part.rows
      all.sum += part.sum
    }
    return text(all)
  }
  const checkOrphans = async (table: string, logged: readonly string[]): Promise<void> => {
    for (const orphan of await orphansOf(stores, table, await stateOf(stores, table)))
      expect([orphan, logged.some((name) => orphan.includes(name))]).toEqual([orphan, true])
  }
  return {
    async makeSource(table) {
      await sql(`
        CREATE TABLE ${table} AS SELECT i AS id, 0 AS v,
          timestamptz '2024-09-01 00:00:00+00' + i % 2 * interval '1 day' AS at FROM generate_series(1, 600) i;
        ANALYZE ${table}`)
    },
    async change(table) {
      await sql(`UPDATE ${table} SET v = v + 1`)
    },
    stateText,
    export: (table, mode) => run(flags(table, mode), { cwd, env: stores.env }),
    async killedAt(table, mode, n, which = effects) {
      const { child, ended } = start(flags(table, mode), { cwd, env: stores.env })
      const points: string[] = []
      const isDue = (point: string): boolean => {
        points.push(point)
        if (points.length - 1 === n) child.kill('SIGKILL')
        return points.length - 1 >= n
      }
      stores.postgres.watch((one) => !which.statement(one) || !isDue(one.sql.trim().slice(0, 40)))
      stores.store.watch((request): Fault | undefined => {
        if (!which.request(request)) return undefined
        if (isDue(`${request.method ?? ''} ${request.url ?? ''}`)) return 'reset'
        return request.method === 'PUT' && isDue('body') ? 'cut during' : undefined
      })
      try {
        return { ran: await ended, points }
      } finally {
        stores.postgres.watch(() => true)
        stores.store.watch(() => undefined)
      }
    },
    async checkBroken(table, before, logged) {
      expect([before, await sourceText(table)]).toContain(await stateText(table))
      await checkOrphans(table, logged)
    },
    async checkRerun(table, mode, logged) {
      const ran = await run(flags(table, mode), { cwd, env: stores.env })
      expect(summaryOf(ran)).toMatchObject({ exit: 0, tables: [{ status: 'ok' }] })
      expect(await stateText(table)).toBe(await sourceText(table))
      expect(await plainText(table, mode)).toBe(await sourceText(table))
      await checkOrphans(table, logged)
    },
  }
}

/** The ids that a run's log names: of its data files and manifests, and of its metadata files. */
export function namedIn({ stderr }: Pick<Ran, 'stderr'>): string[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'))
  return lines
    .map((line) => JSON.parse(line) as { operation?: string; metadata?: string })
    .flatMap(({ operation, metadata }) => [operation, metadata])
    .filter((name) => name !== undefined)
}
