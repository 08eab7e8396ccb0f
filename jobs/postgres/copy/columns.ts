import { decimalWidth } from '../../vector/decimal-width.ts'
import { isUtf8 } from 'node:buffer'
import type { KeyObject } from 'node:crypto'
import { kernel } from '../../kernel/kernel.ts'
import { freeMemory, obtainMemory } from '../../vector/vector-memory.ts'
import type { BytesVector, FixedVector } from '../../vector/vector.ts'
import type { SourceColumn } from '../source/types.ts'
import {
  copyBool,
  copyDate,
  copyDoubleWord,
  copyInt2,
  copyTime,
  copyTimestamp,
  copyUuid,
  copyWord,
  type FixedLoop,
  type FixedTarget,
} from './fixed.ts'
import { hashedBuilder } from './hashed.ts'
import { numericLoop } from './numeric.ts'
import { arrayBuilder } from './arrays.ts'
import { createPresence, initialRows } from './presence.ts'
import { refusals } from './refusals.ts'
import type { ColumnBuilder } from './column-builder.ts'
import { notCopy, type RowBatch } from './scan.ts'

export interface BuilderOptions {
  /** The server does not vouch for its texts. */
  readonly checkUtf8: boolean
  /** Of hashed columns. */
  readonly hashKey?: KeyObject | undefined
  /** Rows for which the first vector has room: one that grows is copied again and again. */
  readonly rows: number
}

/** The builder for the column at `index` of the batch. */
export function createBuilder(
  { wire, type, elementWire, hashed }: Pick<SourceColumn, 'wire' | 'type' | 'elementWire' | 'hashed'>,
  index: number,
  { checkUtf8, hashKey, rows: likely }: BuilderOptions,
): ColumnBuilder {
  const rows = Math.max(likely, initialRows)
  if (hashed === true) {
    if (hashKey === undefined) throw new TypeError('a hashed column without a key')
    return hashedBuilder(index, hashKey, bytesBuilder(0, 0, false, rows))
  }
  switch (wire) {
    case 'bool':
      return fixedBuilder(index, 1, copyBool, rows)
    case 'int2':
      return fixedBuilder(index, 4, copyInt2, rows)
    case 'int4':
    case 'float4':
      return fixedBuilder(index, 4, copyWord, rows)
    case 'int8':
    case 'float8':
      return fixedBuilder(index, 8, copyDoubleWord, rows)
    case 'date':
      return fixedBuilder(index, 4, copyDate, rows)
    case 'time':
      return fixedBuilder(index, 8, copyTime, rows)
    case 'timestamp':
      return fixedBuilder(index, 8, copyTimestamp, rows)
    case 'uuid':
      return fixedBuilder(index, 16, copyUuid, rows)
    case 'numeric':
      if (type.kind !== 'decimal') throw new TypeError(`numeric as ${type.kind}`)
      return fixedBuilder(index, decimalWidth(type.precision), numericLoop(type.precision, type.scale), rows)
    case 'text':
      return bytesBuilder(index, 0, checkUtf8, rows)
    case 'jsonb':
      return bytesBuilder(index, 1, checkUtf8, rows)
    case 'bytea':
      return bytesBuilder(index, 0, false, rows)
    case 'array': {
      if (type.kind !== 'list' || elementWire === undefined) throw new TypeError(`an array as ${type.kind}`)
      const element = { wire: elementWire, type: type.element }
      const elements = createBuilder(element, 0, { checkUtf8, rows: likely })
      return arrayBuilder(index, elements, refusals[elementWire] ?? 'an element', createPresence(index))
    }
  }
}

function fixedBuilder(column: number, width: number, loop: FixedLoop, rows: number): ColumnBuilder {
  let target = nothing
  let reserve = rows * width
  let count = 0
  const presence = createPresence(column)
  return {
    append(batch) {
      const more = batch.counts[column]!
      target = grow(target, count * width, more * width, reserve)
      const refused = loop(batch, column * batch.capacity, more, target, count)
      if (refused >= 0) return refused
      count += more
      presence.append(batch)
      return -1
    },
    size: () => count * width,
    take() {
      const vector: FixedVector = { kind: 'fixed', width, data: target.bytes, count, ...presence.take() }
      reserve = reserveFor(count * width, reserve)
      target = nothing
      count = 0
      return vector
    },
  }
}

/** Longer values are worth the object that a block copy costs. */
const blockCopy = 64

/** text, bytea and jsonb, whose first byte is the format's version. */
function bytesBuilder(column: number, skip: 0 | 1, checkUtf8: boolean, rows: number): ColumnBuilder {
  let target = nothing
  let reserve = rows * 16
  let offsets = noOffsets()
  let offsetReserve = 4 * rows
  let count = 0
  let end = 0
  const presence = createPresence(column)

  const copy = ({ bytes, view, positions, inKernel }: RowBatch, first: number, more: number): void => {
    const data = target.bytes
    if (inKernel !== undefined) {
      const { copyTexts, bytes: from, words } = kernel()
      const { positions: found, values, offsets: ends } = inKernel
      const total = copyTexts(found + 4 * first, more, skip, values, ends, end) - end
      data.set(from.subarray(values, values + total), end)
      offsets.set(words.subarray(ends >> 2, (ends >> 2) + more), count + 1)
      return
    }
    let to = end
    for (let i = 0; i < more; i++) {
      const position = positions[first + i]!
      const length = view.getInt32(position - 4) - skip
      const from = position + skip
      if (length < blockCopy) {
        for (let byte = 0; byte < length; byte++) data[to + byte] = bytes[from + byte]!
      } else data.set(bytes.subarray(from, from + length), to)
      to += length
      offsets[count + i + 1] = to
    }
  }
  return {
    append(batch) {
      const more = batch.counts[column]!
      const first = column * batch.capacity
      const room = totalLength(batch, first, more)
      if (skip === 1) checkVersions(batch, first, more)
      target = grow(target, end, room, reserve)
      offsets = growOffsets(offsets, count + 1, more, offsetReserve)
      copy(batch, first, more)
      if (checkUtf8) {
        const refused = firstInvalid(target.bytes, offsets, count, count + more)
        if (refused >= 0) return refused - count
      }
      count += more
      end = offsets[count]!
      presence.append(batch)
      return -1
    },
    size: () => end + 4 * count,
    take() {
      const vector: BytesVector = { kind: 'bytes', data: target.bytes, offsets, count, ...presence.take() }
      reserve = reserveFor(end, reserve)
      offsetReserve = reserveFor(4 * count, offsetReserve)
      target = nothing
      offsets = noOffsets()
      count = 0
      end = 0
      return vector
    },
  }
}

/** One giant value does not set the size for all. */
const maxReserve = 64 * 1024 * 1024

/**
 * What the next row group begins with: a little more than this one took. It stays while it is about right, so that
 * memory that went round fits.
 */
const reserveFor = (used: number, before: number): number =>
  used <= before && used > before / 2 ? before : Math.min(Math.ceil(used * (17 / 16)), maxReserve)

function totalLength({ view, positions, inKernel }: RowBatch, first: number, count: number): number {
  if (inKernel !== undefined) return kernel().sumLengths(inKernel.positions + 4 * first, count)
  let total = 0
  for (let i = 0; i < count; i++) total += view.getInt32(positions[first + i]! - 4)
  return total
}

function checkVersions({ bytes, positions }: RowBatch, first: number, count: number): void {
  for (let i = 0; i < count; i++) {
    if (bytes[positions[first + i]!] !== 1) throw notCopy('jsonb of an unknown version')
  }
}

/**
 * The first value in `from … to` that is not UTF-8, -1 if all are: the values together are valid and none of
 * them begins inside a character, so each is valid by itself.
 */
function firstInvalid(data: Uint8Array, offsets: Int32Array, from: number, to: number): number {
  const valid = isUtf8(data.subarray(offsets[from], offsets[to]))
  for (let value = from; value < to; value++) {
    const start = offsets[value]!
    const startsInside = offsets[value + 1]! > start && (data[start]! & 0xc0) === 0x80
    if (startsInside || (!valid && !isUtf8(data.subarray(start, offsets[value + 1])))) return value
  }
  return -1
}

const asTarget = (memory: ArrayBuffer): FixedTarget => ({
  bytes: new Uint8Array(memory),
  words: new Int32Array(memory),
})

/** Memory is obtained when the first value comes: until then the row group before may be using it. */
const nothing = asTarget(new ArrayBuffer(0))
const noOffsets = (): Int32Array<ArrayBuffer> => new Int32Array(1)

/** How much to obtain: `reserve` at first, then at least twice the room. */
const enough = (used: number, more: number, room: number, reserve: number): number =>
  Math.max(used + more, reserve, Math.min(2 * room, used + more + maxReserve))

/** `target` itself, or a copy with more room, so that `more` bytes fit behind the first `used`; frees the old one. */
function grow(target: FixedTarget, used: number, more: number, reserve: number): FixedTarget {
  if (used + more <= target.bytes.length) return target
  const grown = asTarget(obtainMemory(enough(used, more, target.bytes.length, reserve)))
  grown.bytes.set(target.bytes.subarray(0, used))
  freeOf(target.bytes)
  return grown
}

const freeOf = ({ buffer }: Uint8Array | Int32Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) freeMemory([buffer])
}

function growOffsets(
  offsets: Int32Array<ArrayBuffer>,
  used: number,
  more: number,
  reserve: number,
): Int32Array<ArrayBuffer> {
  if (used + more <= offsets.length) return offsets
  const grown = new Int32Array(obtainMemory(4 + enough(4 * used, 4 * more, offsets.byteLength, reserve)))
  grown.set(offsets.subarray(0, used))
  freeOf(offsets)
  return grown
}
