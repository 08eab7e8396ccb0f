import { listed, usageError } from '../../errors.ts'
import type { SourceReads } from '../source-reads.ts'
import type { Compared } from '../source-rows.ts'
import { rangeColumn, type RangeColumn } from './key-ranges.ts'

/** By what rows of both sides are told to be the same one. */
export interface Key {
  /** Positions among the columns that are compared; all of them where there is no key. */
  readonly columns: readonly number[]
  /** Undefined: an interval is read whole. */
  readonly ranges: RangeColumn | undefined
}

/** The key of a table: `wanted`, names of columns, else the primary key, else the whole row. Errors: usage for a name that is not compared. */
export async function keyOf(
  reads: SourceReads,
  compared: Compared,
  wanted: readonly string[] | undefined,
  table: string,
): Promise<Key> {
  const names = compared.columns.map(({ name }) => name)
  const unknown = wanted?.find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw usageError(`--key: no column ${unknown} is compared in ${table}`, {
      field: '--key',
      fix: `give some of ${listed(names)}`,
    })
  const known = (wanted ?? (await reads.primaryKey(compared))).map((name) => names.indexOf(name))
  const columns = known.length === 0 || known.includes(-1) ? names.map((_, at) => at) : known
  for (const at of columns) {
    const { id, name } = compared.columns[at]!
    const bounds = await reads.bounds(compared, name)
    const ranges = bounds && rangeColumn(id, ...bounds)
    if (ranges !== undefined) return { columns, ranges }
  }
  return { columns, ranges: undefined }
}
