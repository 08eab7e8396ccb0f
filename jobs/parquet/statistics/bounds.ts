import { kernel } from '../../kernel/kernel.ts'
import { eachSlice, sliceValues } from '../encoding/slices.ts'
import type { BytesVector } from '../../vector/vector.ts'

/**
 * The least and the greatest of a column's values in the order that Parquet's TYPE_ORDER defines for its type:
 * PLAIN-encoded, without the length of a BYTE_ARRAY.
 */
export interface MinMax {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

/**
 * The bounds of `count` > 0 values of int32 (one word each) or int64 (two: low, high), as words: the least one's, then the
 * greatest one's.
 */
export function wordBounds(words: Int32Array, count: number, perValue: 1 | 2): Int32Array<ArrayBuffer> {
  const { arena, words: memory, int32Bounds: bounds32, int64Bounds: bounds64 } = kernel()
  return arena.scope((take) => {
    const values = take(4 * perValue * sliceValues)
    const result = take(8 * perValue)
    const at = result >> 2
    memory.set(words.subarray(0, perValue), at)
    memory.set(words.subarray(0, perValue), at + perValue)
    for (let from = 0; from < count; from += sliceValues) {
      const to = Math.min(count, from + sliceValues)
      memory.set(words.subarray(from * perValue, to * perValue), values >> 2)
      if (perValue === 1) bounds32(values, to - from, result)
      else bounds64(values, to - from, result)
    }
    return memory.slice(at, at + 2 * perValue)
  })
}

/** Bounds of whole numbers, as `wordBounds` has them. */
export interface RangeBounds {
  readonly all: Int32Array<ArrayBuffer>
  /** Of the values `from … to`, of which there is one at least. */
  readonly of: (from: number, to: number) => Int32Array<ArrayBuffer>
}

/** Smaller ranges are not looked at beforehand. */
const fewestValues = 1024

/** The same of any range. Each value is looked at once where ranges of `usual` values, from 0 on, are asked for, or none is. */
export function rangeBounds(words: Int32Array, count: number, perValue: 1 | 2, usual = count): RangeBounds {
  const block = Math.max(fewestValues, usual)
  const compute = (from: number, to: number): Int32Array<ArrayBuffer> =>
    wordBounds(words.subarray(from * perValue, to * perValue), to - from, perValue)
  const blocks: Int32Array<ArrayBuffer>[] = []
  for (let from = 0; from < count; from += block) blocks.push(compute(from, Math.min(count, from + block)))
  const joined = new Int32Array(blocks.length * 2 * perValue)
  for (const [i, bounds] of blocks.entries()) joined.set(bounds, i * 2 * perValue)
  return {
    all: wordBounds(joined, 2 * blocks.length, perValue),
    of: (from, to) =>
      from % block === 0 && to === Math.min(count, from + block) ? blocks[from / block]! : compute(from, to),
  }
}

/** Bounds of whole numbers in PLAIN encoding, as `wordBounds` has them. */
export function plainWords(bounds: Int32Array): MinMax {
  const middle = bounds.length / 2
  return { min: bytesOf(bounds.slice(0, middle)), max: bytesOf(bounds.slice(middle)) }
}

/**
 * Bounds of floating-point values without the NaNs, and how many those are. A zero is -0.0 as a lower and +0.0
 * as an upper bound (parquet.thrift, Statistics), so that either zero is found.
 */
export function floatBounds(
  values: Float32Array | Float64Array,
  count: number,
): { readonly nanCount: number; readonly bounds: MinMax | undefined } {
  let min = Infinity
  let max = -Infinity
  let nanCount = 0
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    if (value < min) min = value
    if (value > max) max = value
    if (value !== value) nanCount++
  }
  if (nanCount === count) return { nanCount, bounds: undefined }
  // All values infinite of one sign leave one of the starting points, which is then right as well.
  const plain = (value: number): Uint8Array =>
    bytesOf(values instanceof Float32Array ? Float32Array.of(value) : Float64Array.of(value))
  return { nanCount, bounds: { min: plain(min === 0 ? -0 : min), max: plain(max === 0 ? 0 : max) } }
}

/** Bounds of byte strings compared as unsigned bytes, as views of `data`; `count` > 0. */
export function bytesBounds({ data, offsets }: Pick<BytesVector, 'data' | 'offsets'>, count: number): MinMax {
  const { arena, words, bytesBounds: boundsOfSlice } = kernel()
  const value = (i: number): Uint8Array => data.subarray(offsets[i], offsets[i + 1])
  let min = value(0)
  let max = min
  const widen = (least: number, greatest: number): void => {
    if (Buffer.compare(value(least), min) < 0) min = value(least)
    if (Buffer.compare(value(greatest), max) > 0) max = value(greatest)
  }
  arena.scope((take) => {
    const result = take(8)
    eachSlice(
      { data, offsets },
      [0, count],
      take,
      (slice, from, to) => {
        boundsOfSlice(slice.data, slice.offsets, to - from, 0, result)
        widen(from + words[result >> 2]!, from + words[(result >> 2) + 1]!)
      },
      (i) => {
        widen(i, i)
      },
    )
  })
  return { min, max }
}

/** Bounds of values of `width` bytes compared as unsigned bytes, or as big-endian two's complement if `signed`. */
export function fixedBounds(data: Uint8Array, width: number, count: number, signed: boolean): MinMax {
  const signBit = signed ? 0x80 : 0
  let min = 0
  let max = 0
  for (let at = width; at < count * width; at += width) {
    if (compareFixed(data, at, min, width, signBit) < 0) min = at
    else if (compareFixed(data, at, max, width, signBit) > 0) max = at
  }
  return { min: data.slice(min, min + width), max: data.slice(max, max + width) }
}

function compareFixed(data: Uint8Array, a: number, b: number, width: number, signBit: number): number {
  const first = (data[a]! ^ signBit) - (data[b]! ^ signBit)
  if (first !== 0) return first
  for (let i = 1; i < width; i++) {
    const difference = data[a + i]! - data[b + i]!
    if (difference !== 0) return difference
  }
  return 0
}

const bytesOf = (array: Int32Array | Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
