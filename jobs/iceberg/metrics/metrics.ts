import { truncateLower, truncateUpper, type Length } from '../../parquet/statistics/truncate.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { leafOf, metricsModes, type MetricsMode } from './metrics-mode.ts'
import type { Schema } from '../schema/schema.ts'
import { compareValues, fromBigEndian, fromSingleValue, minimalBigEndian } from '../schema/single-value.ts'
import { asPrimitive, type PrimitiveType } from '../schema/types.ts'

/** What a file writer knows about one column chunk; bounds in Parquet's PLAIN encoding without length. */
export interface ChunkMetrics {
  /** Compressed bytes. */
  readonly columnSize: number
  /** NULLs and NaNs included. */
  readonly valueCount: number
  readonly nullCount: number
  /** Undefined unless the column is float or double. */
  readonly nanCount: number | undefined
  /** Bounds that hold, exact or not; undefined when unknown or when there is no value. */
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
}

export type FileMetrics = Pick<
  DataFile,
  'columnSizes' | 'valueCounts' | 'nullValueCounts' | 'nanValueCounts' | 'lowerBounds' | 'upperBounds'
>

/**
 * A data file's metrics from those of its chunks, by column id, as the table's `write.metadata.metrics.*` want
 * them. A bound that one chunk lacks is left out for the file: engines prune by what is there.
 */
export function fileMetrics(
  schema: Schema,
  properties: Readonly<Record<string, string>>,
  chunks: ReadonlyMap<number, readonly ChunkMetrics[]>,
): FileMetrics {
  const columnSizes = new Map<number, number>()
  const valueCounts = new Map<number, number>()
  const nullValueCounts = new Map<number, number>()
  const nanValueCounts = new Map<number, number>()
  const lowerBounds = new Map<number, Uint8Array>()
  const upperBounds = new Map<number, Uint8Array>()
  const modes = metricsModes(schema, properties)
  for (const { id, type, isElement } of schema.fields.map(leafOf)) {
    const column = chunks.get(id) ?? []
    const mode = modes.get(id)
    if (column.length === 0 || mode === undefined || mode.kind === 'none') continue
    const sum = (count: (chunk: ChunkMetrics) => number): number =>
      column.reduce((total, chunk) => total + count(chunk), 0)
    columnSizes.set(
      id,
      sum((chunk) => chunk.columnSize),
    )
    valueCounts.set(
      id,
      sum((chunk) => chunk.valueCount),
    )
    nullValueCounts.set(
      id,
      sum((chunk) => chunk.nullCount),
    )
    if (column.every((chunk) => chunk.nanCount !== undefined))
      nanValueCounts.set(
        id,
        sum((chunk) => chunk.nanCount ?? 0),
      )
    const primitive = asPrimitive(type)
    if (primitive === undefined || isElement || mode.kind === 'counts') continue
    const bounds = columnBounds(primitive, mode, column)
    if (bounds.lower !== undefined) lowerBounds.set(id, bounds.lower)
    if (bounds.upper !== undefined) upperBounds.set(id, bounds.upper)
  }
  return {
    columnSizes,
    valueCounts,
    nullValueCounts,
    ...(nanValueCounts.size > 0 && { nanValueCounts }),
    ...(lowerBounds.size > 0 && { lowerBounds }),
    ...(upperBounds.size > 0 && { upperBounds }),
  }
}

/**
 * The metrics of two chunks of one column together (`type` undefined: it is none that has bounds): a file's chunks are added up as they come, so that what is
 * kept of a file does not grow with its row groups.
 */
export function joinChunks(type: PrimitiveType | undefined, a: ChunkMetrics, b: ChunkMetrics): ChunkMetrics {
  const bounds = (
    of: (chunk: ChunkMetrics) => Uint8Array | undefined,
    sign: -1 | 1,
  ): Uint8Array | undefined => {
    if (!hasValues(a)) return of(b)
    if (!hasValues(b)) return of(a)
    const [first, second] = [of(a), of(b)]
    if (type === undefined || first === undefined || second === undefined) return undefined
    const order = compareSingleValues(type, singleValueOfPlain(type, first), singleValueOfPlain(type, second))
    return sign * order < 0 ? second : first
  }
  return {
    columnSize: a.columnSize + b.columnSize,
    valueCount: a.valueCount + b.valueCount,
    nullCount: a.nullCount + b.nullCount,
    nanCount: a.nanCount === undefined || b.nanCount === undefined ? undefined : a.nanCount + b.nanCount,
    min: bounds(({ min }) => min, -1),
    max: bounds(({ max }) => max, 1),
  }
}

/** Whether there is a value that bounds are of. */
const hasValues = ({ valueCount, nullCount, nanCount = 0 }: ChunkMetrics): boolean =>
  valueCount > nullCount + nanCount

function columnBounds(
  type: PrimitiveType,
  mode: MetricsMode,
  chunks: readonly ChunkMetrics[],
): { lower: Uint8Array | undefined; upper: Uint8Array | undefined } {
  const valued = chunks.filter(hasValues)
  const lower = extreme(
    type,
    valued.map((chunk) => chunk.min),
    -1,
  )
  const upper = extreme(
    type,
    valued.map((chunk) => chunk.max),
    1,
  )
  if (mode.kind !== 'truncate' || (type.kind !== 'string' && type.kind !== 'binary')) return { lower, upper }
  const length: Length = { unit: 'code points', most: mode.length }
  const utf8 = type.kind === 'string'
  return {
    lower: lower && truncateLower({ bytes: lower, exact: false }, length, utf8).bytes,
    upper: upper && truncateUpper({ bytes: upper, exact: false }, length, utf8)?.bytes,
  }
}

/** The least (-1) or greatest (1) of all bounds as a single value; undefined when one is unknown. */
function extreme(
  type: PrimitiveType,
  bounds: readonly (Uint8Array | undefined)[],
  sign: -1 | 1,
): Uint8Array | undefined {
  let best: Uint8Array | undefined
  for (const bound of bounds) {
    if (bound === undefined) return undefined
    const value = singleValueOfPlain(type, bound)
    if (best === undefined || sign * compareSingleValues(type, value, best) > 0) best = value
  }
  return best
}

const compareSingleValues = (type: PrimitiveType, a: Uint8Array, b: Uint8Array): number =>
  type.kind === 'string'
    ? Buffer.compare(a, b)
    : compareValues(fromSingleValue(type, a), fromSingleValue(type, b))

/**
 * Parquet's PLAIN encoding differs from Iceberg's single values for decimals only: little-endian integers up to
 * 18 digits, big-endian fixed-length beyond.
 */
function singleValueOfPlain(type: PrimitiveType, plain: Uint8Array): Uint8Array {
  if (type.kind !== 'decimal') return plain
  return minimalBigEndian(fromBigEndian(type.precision <= 18 ? Uint8Array.from(plain).reverse() : plain))
}
