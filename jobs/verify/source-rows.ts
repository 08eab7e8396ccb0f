import type { KeyObject } from 'node:crypto'
import type { DayRange } from '../calendar.ts'
import { daysBetween } from '../calendar.ts'
import { splitRows } from '../iceberg/partition/split-rows.ts'
import { currentSchema } from '../iceberg/metadata/metadata.ts'
import { fieldById } from '../iceberg/schema/schema.ts'
import { asSqlType, scalar, type ColumnType, type NestedField } from '../iceberg/schema/types.ts'
import { copyRange } from '../postgres/copy-range.ts'
import { createDecoder } from '../postgres/copy/decoder.ts'
import { LockUnavailable } from '../postgres/errors.ts'
import { lockForReading, openReader, type Source } from '../postgres/snapshot.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { TablePlan, TableRequest } from '../postgres/source/plan.ts'
import { fingerprintOf } from '../provenance/fingerprint.ts'
import { intervalOf } from '../provenance/intervals.ts'
import type { Interval } from '../provenance/interval.ts'
import type { ReadAs } from '../provenance/read-as.ts'
import { memoryOf, reuseMemory } from '../vector/vector-memory.ts'
import type { ColumnVector } from '../vector/vector.ts'
import type { ReadTable } from '../lake/read-plan.ts'
import { statisticsOf } from './columns/statistics.ts'
import { rangeSums, type RangeColumn, type RangeSums } from './deep/key-ranges.ts'
import { daySource, unitSums, type Unit } from './lake-rows.ts'

/** What of the source is compared with a table of the lake. */
export interface Compared {
  readonly columns: readonly NestedField[]
  readonly day: NestedField | undefined
  readonly request: TableRequest
}

/** How a table is read of the source: the columns, casts and decimals that its newest export says, under today's names. */
export function comparedWith(
  { metadata }: ReadTable,
  source: TableName,
  ids: readonly number[],
  readAs: ReadAs | undefined,
  day: number | undefined,
  days: DayRange | undefined,
  hashKey: KeyObject | undefined,
): Compared {
  const schema = currentSchema(metadata)
  const columns = ids.flatMap((id) => fieldById(schema, id) ?? [])
  const named = <Value>(values: ReadonlyMap<number, Value> = new Map()): Record<string, Value> =>
    Object.fromEntries(
      columns.flatMap(({ id, name }): [string, Value][] => (values.has(id) ? [[name, values.get(id)!]] : [])),
    )
  const hashed = columns.flatMap(({ id, name }) =>
    readAs?.hash?.columns.includes(id) === true ? [name] : [],
  )
  const dayField = day === undefined ? undefined : fieldById(schema, day)
  return {
    columns,
    day: dayField,
    request: {
      table: source,
      columns: columns.map(({ name }) => name),
      casts: named(readAs?.casts),
      lossyCasts: named(readAs?.lossyCasts),
      decimals: named(readAs?.decimals),
      ...(hashed.length > 0 && { hashed, ...(hashKey !== undefined && { hashKey }) }),
      ...(readAs?.outOfRange !== undefined && { outOfRange: readAs.outOfRange }),
      ...(readAs?.where !== undefined && { where: readAs.where }),
      wider: Object.fromEntries(
        columns.flatMap(({ name, type }) => {
          const known = asSqlType(type)
          return known === undefined ? [] : [[name, known]]
        }),
      ),
      ...(days !== undefined &&
        dayField !== undefined && {
          days: { column: undefined, usual: dayField.name, days: daysBetween(days.from, days.to) },
        }),
    },
  }
}

export interface SourceLimits {
  readonly connections: number
  readonly maxRowBytes: number
  readonly signal: AbortSignal
}

const groupRows = 65_536
const groupBytes = 4 * 2 ** 20

/** Takes rows of one unit (a day, `nulls`, `all`): one vector for each column of `Compared`, whose memory ends with the call. */
export type TakeRows = (
  unit: Interval,
  types: readonly ColumnType[],
  vectors: readonly ColumnVector[],
) => void

/** Rows of the source by day, and by ranges of a column where they were asked for. */
export interface SourceRows {
  readonly units: ReadonlyMap<string, Unit>
  /** Of the columns that are compared: they may be wider than the lake's by now. */
  readonly types: readonly ColumnType[]
  readonly ranges: RangeSums | undefined
}

/** Reads a planned table under the source's instant, and hashes its rows by day as an export does. */
export async function readSourceRows(
  source: Pick<Source, 'access'>,
  plan: TablePlan,
  compared: Compared,
  limits: SourceLimits,
  onRows: (rows: number) => void,
  range: RangeColumn | undefined,
): Promise<SourceRows> {
  const types = compared.columns.map(({ name }) => plan.columns.find((column) => column.name === name)!.type)
  const sums = unitSums(1, types)
  const ranges = range && rangeSums(range)
  const rangeAt = compared.columns.findIndex(({ id }) => id === range?.id)
  await streamSourceRows(source, plan, compared, limits, (unit, _, vectors) => {
    const { rows } = vectors[0]!
    const columns = vectors.map((vector, at) => statisticsOf(types[at]!, vector))
    const hashes = ranges?.taker(unit, vectors[rangeAt]!)
    sums.add(unit, rows, [fingerprintOf(types, vectors, hashes)], columns)
    onRows(rows)
  })
  return { units: sums.units(), types, ranges }
}

/** The rows of a planned table under the source's instant, by day, in no fixed order. */
export async function streamSourceRows(
  { access }: Pick<Source, 'access'>,
  plan: TablePlan,
  { columns, day }: Compared,
  { connections, maxRowBytes, signal }: SourceLimits,
  takeRows: TakeRows,
): Promise<void> {
  const order = columns.map(({ name }) => plan.columns.findIndex((column) => column.name === name))
  const types = order.map((at) => plan.columns[at]!.type)
  const dayAt = columns.findIndex(({ id }) => id === day?.id)
  const byDay = day === undefined || dayAt < 0 ? [] : [daySource(day, dayAt, scalar(types[dayAt]!))]
  const take = (read: readonly ColumnVector[]): void => {
    const vectors = order.map((at) => read[at]!)
    const parts = byDay.length === 0 ? [{ partition: [], vectors }] : splitRows(byDay, vectors)
    for (const { partition, vectors: rows } of parts)
      takeRows(intervalOf(partition, byDay.length === 0 ? undefined : 0), types, rows)
    reuseMemory(memoryOf(read))
  }
  let next = 0
  const lockedOut: Error[] = []
  const reader = async (): Promise<void> => {
    const connection = await openReader(access, signal)
    try {
      await lockForReading(connection, plan)
      const decoder = createDecoder({
        columns: plan.columns,
        checkUtf8: plan.checkUtf8,
        hashKey: plan.hashKey,
        groupRows,
        groupBytes,
        maxRowBytes,
      })
      while (next < plan.ranges.length)
        await copyRange(connection, access, plan, plan.ranges[next++]!, decoder, ({ vectors }) => {
          take(vectors)
          return Promise.resolve()
        })
      for (let group = decoder.take(true); group !== undefined; group = decoder.take(true))
        take(group.vectors)
    } catch (error) {
      // The others read what this one would have.
      if (!(error instanceof LockUnavailable)) throw error
      lockedOut.push(error)
    } finally {
      await connection.close()
    }
  }
  const readers = Math.max(1, Math.min(connections, plan.ranges.length))
  const results = await Promise.allSettled(Array.from({ length: readers }, reader))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  if (next < plan.ranges.length && lockedOut[0] !== undefined) throw lockedOut[0]
}
