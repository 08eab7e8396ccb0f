import { dataError, type JobError } from '../errors.ts'
import type { Connection } from './connect.ts'
import { copyOut, type RowGroupSink } from './copy/copy-out.ts'
import { RefusedValue, type CopyDecoder } from './copy/decoder.ts'
import { formatTable } from './identifiers.ts'
import { lockForReading, openReader, type SnapshotAccess } from './snapshot.ts'
import type { TablePlan } from './source/plan.ts'
import { copySql, type CopyRange } from './source/ranges.ts'

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
  try {
    return await copyOut(connection, copySql(plan.columns, range), decoder, sink, formatTable(plan.table))
  } catch (error) {
    if (!(error instanceof RefusedValue)) throw error
    throw refusedRow(plan, range, error, await locate(access, plan, range, error.row))
  }
}

/** The ctid of the range's row number `row`, seen by a connection of its own under the same snapshot. */
async function locate(
  access: SnapshotAccess,
  plan: TablePlan,
  { from, where, addressable }: CopyRange,
  row: number,
): Promise<string | undefined> {
  if (!addressable) return undefined
  try {
    const connection = await openReader(access)
    try {
      await lockForReading(connection, plan)
      // row_number() without a LIMIT keeps the scan that COPY used, and with it the order of the rows.
      const [found] = await connection.query(
        `SELECT address::text FROM (
           SELECT ctid AS address, row_number() OVER () AS number
           FROM ${from}${where === undefined ? '' : ` WHERE ${where}`}
         ) numbered WHERE number = $1`,
        [row + 1],
      )
      return found === undefined ? undefined : String(found['address'])
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
  address: string | undefined,
): JobError {
  const table = formatTable(plan.table)
  const { column } = refused
  const place = address === undefined ? `row ${refused.row + 1}` : `ctid ${address}`
  const field = column === undefined ? table : `${table}.${column.name}`
  return dataError(`${field}: ${refused.message} at ${place} of ${range.from}`, {
    field,
    fix: column === undefined ? 'raise --max-row-bytes' : wayOut(column.name, column.wire),
    cause: refused,
  })
}

const wayOut = (name: string, wire: string): string =>
  wire === 'text' || wire === 'jsonb'
    ? 'correct the text at the source, or leave the column out with --columns'
    : `correct the value at the source, or read the column as text with --cast ${name}=text`
