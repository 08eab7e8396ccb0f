import { dataError, type JobError } from '../errors.ts'
import type { Connection } from './connection/connect.ts'
import { copyOut, type RowGroupSink } from './copy/copy-out.ts'
import { RefusedValue, type CopyDecoder } from './copy/decoder.ts'
import { flagText } from './faults.ts'
import { formatTable, quoteIdentifier } from './identifiers.ts'
import { undone } from './isolated.ts'
import { lockForReading, openReader, type SnapshotAccess } from './snapshot.ts'
import { columnFlag } from './source/mapping.ts'
import type { TablePlan } from './source/plan.ts'
import { copySql, type CopyRange } from './source/ranges.ts'
import type { SourceColumn } from './source/types.ts'

/**
 * Reads one range of the plan through a reader's connection into the decoder, whose complete row groups go to
 * `sink`; what is incomplete at the end stays in the decoder for the next range. Returns the range's rows. A
 * value that the lake cannot hold is exit 3 with table, column, ctid and the way out; the connection is cut
 * then.
 */
export async function copyRange(
  connection: Connection,
  access: SnapshotAccess,
  plan: TablePlan,
  range: CopyRange,
  decoder: CopyDecoder,
  sink: RowGroupSink,
): Promise<number> {
  const copy = (): Promise<number> =>
    copyOut(connection, copySql(plan.columns, range), decoder, sink, formatTable(plan.table))
  try {
    // Which ranges share a connection differs from run to run: what one sets, the next one must not see.
    return await (plan.runsFunctions && plan.ranges.length > 1 ? undone(connection, copy) : copy())
  } catch (error) {
    if (!(error instanceof RefusedValue)) throw error
    throw refusedRow(plan, range, error, await locate(access, plan, range, error))
  }
}

interface Found {
  readonly address: string
  /** Undefined: its text may be what is wrong with it. */
  readonly value: string | undefined
}

/** Longer values are cut in messages. */
const shownLength = 100

/** The ctid and the value of the refused row of a range, seen by a connection of its own under the same snapshot. */
async function locate(
  access: SnapshotAccess,
  plan: TablePlan,
  { from, where, addressable }: CopyRange,
  { row, column }: RefusedValue,
): Promise<Found | undefined> {
  if (!addressable) return undefined
  const isShown = column !== undefined && column.type.kind !== 'string'
  const value = isShown ? `left(${quoteIdentifier(column.name)}::text, ${shownLength})` : 'NULL'
  try {
    const connection = await openReader(access)
    try {
      await lockForReading(connection, plan)
      // row_number() without a LIMIT keeps the scan that COPY used, and with it the order of the rows.
      const [found] = await connection.query(
        `SELECT address::text, value FROM (
           SELECT ctid AS address, ${value} AS value, row_number() OVER () AS number
           FROM ${from}${where === undefined ? '' : ` WHERE ${where}`}
         ) numbered WHERE number = $1`,
        [row + 1],
      )
      if (found === undefined) return undefined
      return {
        address: String(found['address']),
        value: typeof found['value'] === 'string' ? found['value'] : undefined,
      }
    } finally {
      await connection.close()
    }
  } catch {
    // The place is a help; that it cannot be found must not hide what was refused.
    return undefined
  }
}

function refusedRow(
  plan: TablePlan,
  range: CopyRange,
  refused: RefusedValue,
  found: Found | undefined,
): JobError {
  const table = formatTable(plan.table)
  const { column } = refused
  const place = found === undefined ? `row ${refused.row + 1}` : `ctid ${found.address}`
  const field = column === undefined ? table : `${table}.${column.name}`
  const value = refused.value ?? found?.value
  const shown = value === undefined ? '' : `: ${value}`
  return dataError(`${field}: ${refused.message} at ${place} of ${range.from}${shown}`, {
    field,
    fix:
      column === undefined
        ? 'raise --max-row-bytes'
        : wayOut(column, plan, value, refused.value !== undefined),
    cause: refused,
  })
}

/** Digits before the point of a finite number; undefined of anything else. */
const wholeDigits = (value: string | undefined): number | undefined =>
  /^-?0*(\d*)(?:\.\d*)?$/.exec(value ?? 'none')?.[1]?.length

/** @param isChanged its cast makes another value of it, that the lake can hold */
function wayOut(
  column: SourceColumn,
  { flagTable }: TablePlan,
  value: string | undefined,
  isChanged: boolean,
): string {
  const flag = (name: string, type: string): string =>
    flagText(columnFlag(flagTable, name, column.name, type))
  const { type, check, wire } = column
  if (check !== undefined && isChanged)
    return `correct the value at the source, or take the changed values with ${flag('--lossy-cast', check.to)} in place of --cast`
  if (wire === 'text' || wire === 'jsonb')
    return 'correct the text at the source, or leave the column out with --columns'
  const whole = wholeDigits(value)
  if (type.kind === 'decimal' && whole !== undefined && whole <= type.precision - type.scale)
    return `correct the value at the source, or round with ${flag('--lossy-cast', `numeric(${type.precision},${type.scale})`)} in place of --decimal`
  const isLimit =
    check === undefined && (type.kind === 'decimal' ? whole === undefined : type.kind !== 'time')
  const limit =
    isLimit && type.kind !== 'list' ? ', let --out-of-range null or clamp replace such values' : ''
  return `correct the value at the source${limit}, or read the column as text with ${flag('--cast', 'text')} (a table that has it otherwise stays: name another with --table source=namespace.table)`
}
