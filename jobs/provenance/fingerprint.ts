import { kernel } from '../kernel/kernel.ts'
import type { ColumnType, Value } from '../iceberg/schema/types.ts'
import type { ColumnVector } from '../vector/vector.ts'
import { listMixer } from './hash/list-hash.ts'
import {
  addHashes,
  blockRows,
  clear,
  createRowHashes,
  flatMixer,
  type Mixer,
  type RowHashes,
} from './hash/row-hash.ts'

/**
 * What a set of rows is, whatever their order and however they were read: their number, the NULLs per column and a
 * checksum. It goes into the snapshot's summary, so that the lake can be compared with what was read (export-spec
 * §3.11). Plain data, may cross threads.
 */
export interface Fingerprint {
  readonly rows: number
  /** NULLs by column, in the order of the columns. */
  readonly nulls: readonly number[]
  /** The sum of the rows' 128-bit hashes, lane by lane, as four 32-bit unsigned integers. */
  readonly sum: readonly [number, number, number, number]
}

/** The fingerprint of the rows of one partition. */
export interface PartitionFingerprint {
  readonly partition: readonly (Value | null)[]
  readonly fingerprint: Fingerprint
}

/** That of no rows at all. */
export const noRows = (columns: number): Fingerprint => ({
  rows: 0,
  nulls: new Array<number>(columns).fill(0),
  sum: [0, 0, 0, 0],
})

/** The fingerprint of both sets of rows together. */
export const combined = (a: Fingerprint, b: Fingerprint): Fingerprint => ({
  rows: a.rows + b.rows,
  nulls: a.nulls.map((nulls, column) => nulls + b.nulls[column]!),
  sum: [0, 1, 2, 3].map((lane) => (a.sum[lane]! + b.sum[lane]!) >>> 0) as unknown as Fingerprint['sum'],
})

/** Takes the hashes of `count` rows from `from` on, as two halves; the arrays are used again after the call. */
export type TakeHashes = (
  hashes: { readonly x: Int32Array; readonly y: Int32Array },
  from: number,
  count: number,
) => void

/** The hash of each row of `vectors`, one vector per column, as 64 bits in two halves: of the values that a fingerprint sees. */
export function rowHashesOf(
  types: readonly ColumnType[],
  vectors: readonly ColumnVector[],
): { readonly x: Int32Array; readonly y: Int32Array } {
  const rows = vectors[0]?.rows ?? 0
  const [x, y] = [new Int32Array(rows), new Int32Array(rows)]
  hashBlocks(types, vectors, (hashes, from, count) => {
    x.set(hashes.x.subarray(0, count), from)
    y.set(hashes.y.subarray(0, count), from)
  })
  return { x, y }
}

function mixerOf(vector: ColumnVector, type: ColumnType): Mixer {
  if (vector.kind !== 'list' && type.kind !== 'list') return flatMixer(vector, type)
  if (vector.kind === 'list' && type.kind === 'list') return listMixer(vector, type.element)
  throw new TypeError(`a vector of ${vector.kind} as ${type.kind}`)
}

/** The hashes of the rows, a block after the other; `hashes` are the block's, of `count` rows from `from` on. */
function hashBlocks(
  types: readonly ColumnType[],
  vectors: readonly ColumnVector[],
  take: (hashes: RowHashes, from: number, count: number) => void,
): void {
  const rows = vectors[0]?.rows ?? 0
  const mixers = vectors.map((vector, column) => mixerOf(vector, types[column]!))
  kernel().arena.scope((obtain) => {
    const hashes = createRowHashes(obtain)
    for (let from = 0; from < rows; from += blockRows) {
      const to = Math.min(from + blockRows, rows)
      clear(hashes)
      for (const mix of mixers) mix(hashes, from, to)
      take(hashes, from, to - from)
    }
  })
}

/**
 * The fingerprint of the rows of `vectors`, one vector per column. A row's hash is made of its values' canonical
 * words in column order: numbers, dates and times as signed 64-bit integers, floats as doubles, decimals as
 * sign-extended integers, other values as their bytes and length, a list as its length and its elements (hash/list-hash.ts). So it does not change when a column is widened
 * (int to long, float to double, a decimal's precision). `takeHashes` sees each row's own hash on the way.
 */
export function fingerprintOf(
  types: readonly ColumnType[],
  vectors: readonly ColumnVector[],
  takeHashes?: TakeHashes,
): Fingerprint {
  const rows = vectors[0]?.rows ?? 0
  const sums = new Uint32Array(4)
  hashBlocks(types, vectors, (hashes, from, count) => {
    takeHashes?.(hashes, from, count)
    addHashes(hashes, count, sums)
  })
  const [a, b, c, d] = sums
  return { rows, nulls: vectors.map(({ count }) => rows - count), sum: [a!, b!, c!, d!] }
}
