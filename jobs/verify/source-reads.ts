import { usageError } from '../errors.ts'
import { quoteTable } from '../postgres/identifiers.ts'
import type { Connection } from '../postgres/connection/connect.ts'
import { lockForReading, openReader, openSource } from '../postgres/snapshot.ts'
import { LockUnavailable } from '../postgres/errors.ts'
import { settle } from '../postgres/isolated.ts'
import type { TablePlan } from '../postgres/source/plan.ts'
import { printSource, sameSource, type ReadSource } from '../provenance/source.ts'
import { incomparable } from './changed-source.ts'
import type { VerifyOptions, VerifyStores } from './options.ts'
import type { Prepared } from './prepared.ts'
import type { RangeColumn } from './deep/key-ranges.ts'
import { restricted, wholeNumbers, type Restriction } from './deep/restriction.ts'
import {
  readSourceRows,
  streamSourceRows,
  type Compared,
  type SourceRows,
  type TakeRows,
} from './source-rows.ts'

/** Runs what counts rows under a line of progress. */
export type Counted = <Result>(
  what: string,
  total: number | undefined,
  work: (add: (rows: number) => void) => Promise<Result>,
) => Promise<Result>

/** The source's rows at one instant. */
export interface SourceReads {
  /**
   * Those that are compared with the lake's; undefined: none are. `range`: by whose ranges they are added up, too; the same
   * for the same `compared`. Errors: the table's own.
   */
  read(prepared: Prepared, counted: Counted, range: RangeColumn | undefined): Promise<SourceRows | undefined>
  /** The same rows once more, one unit's at a time: those at least that are asked for. */
  stream(compared: Compared, only: Restriction, takeRows: TakeRows): Promise<void>
  /** The columns of the table's primary key, by their names at the source; none: it has none. */
  primaryKey(compared: Compared): Promise<readonly string[]>
  /** The least and the greatest value of a column of whole numbers; undefined: it is no such column, or has none. */
  bounds(compared: Compared, column: string): Promise<readonly [bigint, bigint] | undefined>
  close(): Promise<void>
}

/**
 * Opens the source at one instant, for the tables that are compared with it. What several of them (Iceberg and plain
 * Parquet) read alike is read once. Undefined: none is compared.
 */
export async function openSourceReads(
  prepared: readonly Prepared[],
  options: VerifyOptions,
  connectSource: VerifyStores['connectSource'],
  signal: AbortSignal,
): Promise<SourceReads | undefined> {
  const unique = new Map(prepared.flatMap(({ compared }) => (compared ? [[keyOf(compared), compared]] : [])))
  if (unique.size === 0) return undefined
  const { connections: workers, lockTimeoutMs } = options
  const recorded = prepared.some(({ known }) => known.newest?.readAs?.rowSecurity === true)
  const requests = [...unique.values()].map(({ request }) => request)
  const source = await openSource(await connectSource(requests.map(({ table }) => table)), requests, {
    workers,
    rowSecurity: options.rowSecurity || recorded,
    lockTimeoutMs,
  })
  const keys = [...unique.keys()]
  const reads = new Map<string, Promise<SourceRows>>()
  const plannedOf = (compared: Compared): TablePlan => {
    const planned = source.tables[keys.indexOf(keyOf(compared))]!
    const reason = incomparable(planned, compared)
    if (reason !== undefined) throw reason
    if ('error' in planned) throw planned.error
    return planned.plan
  }
  const asked = async <Answer>(ask: (connection: Connection) => Promise<Answer>): Promise<Answer> => {
    const connection = await openReader(source.access, signal)
    try {
      return await ask(connection)
    } finally {
      await connection.close()
    }
  }
  return {
    async read({ compared, known, table }, counted, range) {
      if (compared === undefined) return undefined
      if (known.newest !== undefined) mustBeOf(known.newest.source, source.server, table.name)
      const key = keyOf(compared)
      const plan = plannedOf(compared)
      const read =
        reads.get(key) ??
        counted('source', plan.estimatedRows, (add) =>
          readSourceRows(source, plan, compared, { ...options, signal }, add, range),
        )
      reads.set(key, read)
      return read
    },
    async stream(compared, only, takeRows) {
      const planned = restricted(plannedOf(compared), compared, only)
      await streamSourceRows(source, planned, compared, { ...options, signal }, takeRows)
    },
    async primaryKey(compared) {
      const { table } = plannedOf(compared)
      return asked(async (connection) => {
        const rows = await connection.query(
          `SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
           WHERE indisprimary AND indrelid = $1::regclass ORDER BY array_position(indkey::int2[], attnum)`,
          [quoteTable(table)],
        )
        return rows.map(({ attname }) => String(attname))
      })
    },
    async bounds(compared, name) {
      const plan = plannedOf(compared)
      const column = wholeNumbers(plan, name)
      if (column === undefined) return undefined
      return asked(async (connection) => {
        const from = quoteTable(plan.table)
        const failed = await settle(lockForReading(connection, plan))
        if (failed instanceof LockUnavailable) return undefined
        if (failed instanceof Error) throw failed
        const [row] = await connection.query(
          `SELECT min(${column})::text AS least, max(${column})::text AS greatest FROM ${from}`,
        )
        const [least, greatest] = [row?.['least'], row?.['greatest']]
        return typeof least === 'string' && typeof greatest === 'string'
          ? ([BigInt(least), BigInt(greatest)] as const)
          : undefined
      })
    },
    close: () => source.close(),
  }
}

/** Rows of another database would be told as changed, or as wrong. Its table may have another name by now. */
function mustBeOf(written: ReadSource, server: Omit<ReadSource, 'table'>, name: string): void {
  const { table, isDemo = false } = written
  const read = { ...server, table, isDemo }
  if (sameSource(written, read)) return
  throw usageError(
    `the rows of ${name} are of ${printSource(written)}, and POSTGRES_* names ${printSource(read)}`,
    {
      field: 'POSTGRES_DB',
      fix: 'set POSTGRES_* to that database, or compare with what was written alone: --against written',
    },
  )
}

/** Equal for what is read and hashed alike. */
const keyOf = ({ columns, day, request }: Compared): string =>
  JSON.stringify([columns.map(({ name }) => name), day?.name, request])
