import type { Slices } from './transform-slices.ts'
import { murmur3 } from './murmur3.ts'

/** Dictionary-encodes integers: for each its ordinal, and the distinct values in order of first appearance. */
export function groupInts(ints: Int32Array | Float64Array): [ordinals: Int32Array, values: number[]] {
  const ordinals = new Int32Array(ints.length)
  const known = new Map<number, number>()
  const values: number[] = []
  let last = 0
  let lastOrdinal = -1
  for (let i = 0; i < ints.length; i++) {
    const value = ints[i]!
    if (value !== last || lastOrdinal < 0) {
      last = value
      const found = known.get(value)
      if (found === undefined) {
        lastOrdinal = values.push(value) - 1
        known.set(value, lastOrdinal)
      } else lastOrdinal = found
    }
    ordinals[i] = lastOrdinal
  }
  return [ordinals, values]
}

/** The same for byte slices: for each its ordinal, and the index of the first slice of each ordinal. */
export function groupBytes(slices: Slices): [ordinals: Int32Array, firsts: number[]] {
  const { data, starts, ends, count } = slices
  const ordinals = new Int32Array(count)
  const firsts: number[] = []
  let table = new Int32Array(64).fill(-1)
  for (let i = 0; i < count; i++) {
    const mask = table.length - 1
    let slot = murmur3(data, starts[i]!, ends[i]!) & mask
    let ordinal = table[slot]!
    while (ordinal >= 0 && !equalSlices(slices, firsts[ordinal]!, i)) {
      slot = (slot + 1) & mask
      ordinal = table[slot]!
    }
    if (ordinal < 0) {
      ordinal = firsts.push(i) - 1
      table[slot] = ordinal
      if (2 * firsts.length > table.length) table = grown(slices, firsts, table.length * 2)
    }
    ordinals[i] = ordinal
  }
  return [ordinals, firsts]
}

function grown(
  { data, starts, ends }: Slices,
  firsts: readonly number[],
  size: number,
): Int32Array<ArrayBuffer> {
  const table = new Int32Array(size).fill(-1)
  for (const [ordinal, at] of firsts.entries()) {
    let slot = murmur3(data, starts[at]!, ends[at]!) & (size - 1)
    while (table[slot]! >= 0) slot = (slot + 1) & (size - 1)
    table[slot] = ordinal
  }
  return table
}

function equalSlices({ data, starts, ends }: Slices, a: number, b: number): boolean {
  const length = ends[a]! - starts[a]!
  if (ends[b]! - starts[b]! !== length) return false
  for (let at = 0; at < length; at++) if (data[starts[a]! + at] !== data[starts[b]! + at]) return false
  return true
}
