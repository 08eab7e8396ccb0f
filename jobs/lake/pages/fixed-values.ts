import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import { kernel } from '../../kernel/kernel.ts'
import { decimalWidth } from '../../vector/decimal-width.ts'
import { expect, type ChunkDictionary, type ChunkPage } from './chunk-pages.ts'
import type { PageRoom } from './page-room.ts'

/** Values of one width, as they are in a vector. */
export interface FixedValues {
  /** Bytes of a value. */
  readonly width: number
  readonly dictionary: (dictionary: ChunkDictionary) => void
  /** A page's values, until the next one; of 4 or 8 bytes they lie in the kernel's memory. Errors: `NotOurs`. */
  readonly page: (page: ChunkPage) => Uint8Array
}

/** Of a column without lengths. */
export function fixedValues(type: PrimitiveType, room: PageRoom): FixedValues {
  const { bytes, pickWords } = kernel()
  const width = widthOf(type)
  const isBits = type.kind === 'boolean'
  let entries = 0
  return {
    width,
    dictionary({ entries: count, from, end }) {
      entries = from
      expect(end - from === count * width && !isBits, 'a dictionary’s size')
    },
    page({ count, indices, from, end }) {
      if (indices === 0) {
        expect(end - from === (isBits ? Math.ceil(count / 8) : count * width), 'a page’s size')
        return isBits ? bitsAt(from, count) : bytes.subarray(from, end)
      }
      if (width !== 4 && width !== 8) return picked(indices, count, entries, width)
      pickWords(indices, count, entries, width, room.values)
      return bytes.subarray(room.values, room.values + count * width)
    },
  }
}

function widthOf(type: PrimitiveType): number {
  switch (type.kind) {
    case 'boolean':
      return 1
    case 'int':
    case 'float':
    case 'date':
      return 4
    case 'uuid':
      return 16
    case 'fixed':
      return type.length
    case 'decimal':
      return decimalWidth(type.precision)
    default:
      return 8
  }
}

/** The values of any width that indices stand for. */
function picked(indices: number, count: number, entries: number, width: number): Uint8Array {
  const { bytes, words } = kernel()
  const values = new Uint8Array(count * width)
  for (let value = 0; value < count; value++) {
    const from = entries + words[(indices >> 2) + value]! * width
    values.set(bytes.subarray(from, from + width), value * width)
  }
  return values
}

/** Booleans, bit by bit from the lowest, as bytes. */
const bitsAt = (address: number, count: number): Uint8Array => {
  const { bytes } = kernel()
  return Uint8Array.from({ length: count }, (_, at) => (bytes[address + (at >> 3)]! >> (at & 7)) & 1)
}
