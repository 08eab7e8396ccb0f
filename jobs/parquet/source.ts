import type { Take } from '../kernel/arena.ts'
import { kernel } from '../kernel/kernel.ts'
import { packFlags, type ByteTarget } from './encoding/bit-packing.ts'
import { eachSlice } from './encoding/slices.ts'
import {
  bytesBounds,
  fixedBounds,
  floatBounds,
  type MinMax,
  plainWords,
  rangeBounds,
  type RangeBounds,
} from './statistics/bounds.ts'
import { type LogicalColumnType, type PhysicalType, physicalType } from './column.ts'
import { bytesDictionary } from './dictionary/bytes.ts'
import type { DictionaryBuilder } from './dictionary/dictionary.ts'
import { int32Dictionary, int64Dictionary } from './dictionary/words.ts'
import type { BytesVector, ColumnVector, FixedVector } from '../vector/vector.ts'

/** A vector as its column's type sees it: what the chunk encoder asks of every type. */
export interface ValueSource {
  /** Starts a dictionary over the values in room that it takes; undefined where none is worth trying. */
  readonly dictionary: (limitBytes: number, take: Take) => SourceDictionary | undefined
  /** Bytes of the values `from … to` in PLAIN encoding. */
  readonly plainSize: (from: number, to: number) => number
  /** The end of the longest range from `from`, at most to `to`, whose PLAIN encoding fits `limitBytes`. */
  readonly fit: (from: number, to: number, limitBytes: number) => number
  /** Writes the values `from … to` in PLAIN encoding; returns the position after them. */
  readonly writePlain: (from: number, to: number, target: ByteTarget, position: number) => number
  /** Values that are NaN; undefined unless the type has them. */
  readonly nanCount: number | undefined
  /** Bounds of all values; undefined when there is none (or only NaN). */
  readonly bounds: () => MinMax | undefined
  /** Bounds of the values `from … to`, of which there is one at least, where they were asked for and cost little. */
  readonly pageBounds?: (from: number, to: number) => MinMax
}

export interface SourceDictionary extends DictionaryBuilder {
  /** Bounds of the distinct values. */
  readonly bounds: () => MinMax | undefined
}

/**
 * The source over a vector. `pageValues`: how many values a page is likely to have, where its bounds will be asked for. Throws a
 * TypeError for a vector that contradicts the column's type: a defect of the reader, never of the data.
 */
export function valueSource(type: LogicalColumnType, vector: ColumnVector, pageValues?: number): ValueSource {
  const physical = physicalType(type)
  if (physical.kind === 'BYTE_ARRAY') {
    if (vector.kind === 'bytes') return byteArraySource(vector)
  } else if (vector.kind === 'fixed' && vector.width === physical.width) {
    if (vector.data.byteOffset % 8 === 0) return fixedSource(type, physical, vector, pageValues)
    throw new TypeError(`a vector of ${type.kind} is not aligned to 8 bytes`)
  }
  throw new TypeError(
    `a vector of ${type.kind} cannot be ${vector.kind === 'fixed' ? `${vector.width} bytes wide` : 'of bytes'}`,
  )
}

function byteArraySource({ data, offsets, count }: BytesVector): ValueSource {
  const plainSize = (from: number, to: number): number => offsets[to]! - offsets[from]! + (to - from) * 4
  return {
    dictionary: (limitBytes, take) => bytesDictionary({ data, offsets }, true, limitBytes, take),
    plainSize,
    fit(from, to, limitBytes) {
      let low = from
      let high = to
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (plainSize(from, middle) <= limitBytes) low = middle
        else high = middle - 1
      }
      return low
    },
    writePlain(from, to, { bytes, view, address }, position) {
      const writeOne = (i: number): void => {
        const value = data.subarray(offsets[i], offsets[i + 1])
        view.setInt32(position, value.length, true)
        bytes.set(value, position + 4)
        position += 4 + value.length
      }
      if (address === undefined) for (let i = from; i < to; i++) writeOne(i)
      else {
        const { arena, plainBytes } = kernel()
        arena.scope((take) => {
          eachSlice(
            { data, offsets },
            [from, to],
            take,
            (slice, first, end) => {
              position = plainBytes(slice.data, slice.offsets, end - first, address + position) - address
            },
            writeOne,
          )
        })
      }
      return position
    },
    nanCount: undefined,
    bounds: () => (count === 0 ? undefined : bytesBounds({ data, offsets }, count)),
  }
}

type FixedType = Exclude<PhysicalType, { kind: 'BYTE_ARRAY' }>

function fixedSource(
  type: LogicalColumnType,
  { kind, width }: FixedType,
  vector: FixedVector,
  pageValues: number | undefined,
): ValueSource {
  const { data, count } = vector
  const plain = {
    plainSize: (from: number, to: number) => (to - from) * width,
    fit: (from: number, to: number, limitBytes: number) =>
      Math.min(to, from + Math.floor(limitBytes / width)),
    writePlain(from: number, to: number, { bytes }: ByteTarget, position: number) {
      bytes.set(data.subarray(from * width, to * width), position)
      return position + (to - from) * width
    },
    nanCount: undefined,
  }
  const wordsOf = (bytes: Uint8Array, length: number): Int32Array =>
    new Int32Array(bytes.buffer, bytes.byteOffset, length)
  switch (kind) {
    case 'BOOLEAN':
      return {
        ...plain,
        plainSize: (from, to) => (to - from + 7) >> 3,
        fit: (from, to, limitBytes) => Math.min(to, from + limitBytes * 8),
        writePlain: (from, to, { bytes }, position) => packFlags(data, from, to, bytes, position),
        dictionary: () => undefined,
        bounds: () => (count === 0 ? undefined : fixedBounds(data, 1, count, false)),
      }
    case 'INT32': {
      const values = wordsOf(data, count)
      const known = count === 0 ? undefined : rangeBounds(values, count, 1, pageValues)
      const [min = 0, max = 0] = known?.all ?? []
      return {
        ...plain,
        ...wholeNumbers(known, pageValues, (limitBytes, take) =>
          int32Dictionary(values, min, max, limitBytes, take),
        ),
      }
    }
    case 'INT64': {
      const lanes = wordsOf(data, count * 2)
      const known = count === 0 ? undefined : rangeBounds(lanes, count, 2, pageValues)
      return {
        ...plain,
        ...wholeNumbers(known, pageValues, (limitBytes, take) =>
          int64Dictionary(lanes, limitBytes, take, known?.all),
        ),
      }
    }
    case 'FLOAT': {
      const { nanCount, bounds } = floatBounds(new Float32Array(data.buffer, data.byteOffset, count), count)
      const values = wordsOf(data, count)
      return {
        ...plain,
        dictionary: (limitBytes, take) => ({
          ...int32Dictionary(values, -0x80000000, 0x7fffffff, limitBytes, take),
          bounds: () => bounds,
        }),
        nanCount,
        bounds: () => bounds,
      }
    }
    case 'DOUBLE': {
      const { nanCount, bounds } = floatBounds(new Float64Array(data.buffer, data.byteOffset, count), count)
      const lanes = wordsOf(data, count * 2)
      return {
        ...plain,
        dictionary: (limitBytes, take) => ({
          ...int64Dictionary(lanes, limitBytes, take),
          bounds: () => bounds,
        }),
        nanCount,
        bounds: () => bounds,
      }
    }
    case 'FIXED_LEN_BYTE_ARRAY': {
      const signed = type.kind === 'decimal'
      return {
        ...plain,
        dictionary(limitBytes, take) {
          const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i * width)
          const dictionary = bytesDictionary({ data, offsets }, false, limitBytes, take)
          return {
            ...dictionary,
            bounds: () => fixedBounds(dictionary.body(), width, dictionary.count(), signed),
          }
        },
        bounds: () => (count === 0 ? undefined : fixedBounds(data, width, count, signed)),
      }
    }
  }
}

/** What whole numbers have of a source, by their bounds; undefined: there are none. */
function wholeNumbers(
  known: RangeBounds | undefined,
  pageValues: number | undefined,
  dictionary: (limitBytes: number, take: Take) => DictionaryBuilder,
): Pick<ValueSource, 'dictionary' | 'bounds' | 'pageBounds'> {
  if (known === undefined) return { dictionary: () => undefined, bounds: () => undefined }
  const bounds = (): MinMax => plainWords(known.all)
  return {
    dictionary: (limitBytes, take) => ({ ...dictionary(limitBytes, take), bounds }),
    bounds,
    ...(pageValues === undefined ? {} : { pageBounds: (from, to) => plainWords(known.of(from, to)) }),
  }
}
