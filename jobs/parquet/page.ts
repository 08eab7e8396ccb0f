import { writeVarint } from './encoding/bit-packing.ts'
import type { Codec } from './codec.ts'

/** How the values of a page are encoded. */
export type PageEncoding = 'PLAIN' | 'RLE_DICTIONARY'

/** A page as it lies in the file: header and compressed body. */
export interface Page {
  readonly header: Uint8Array
  readonly body: Uint8Array
  /** Header and body before compression. */
  readonly uncompressedSize: number
}

/** parquet.thrift, Encoding. */
export const encodings = { PLAIN: 0, RLE: 3, RLE_DICTIONARY: 8 } as const
/** parquet.thrift, PageType. */
export const pageTypes = { data: 0, dictionary: 2 } as const

/** A data page v1 of `rows` entries of levels (NULLs included); `body` holds levels and values and may be reused afterwards. */
export const dataPage = (body: Uint8Array, rows: number, encoding: PageEncoding, codec: Codec): Page =>
  page(body, codec, pageTypes.data, 5, [rows, encodings[encoding], encodings.RLE, encodings.RLE])

/** The dictionary page of a chunk: `count` distinct values in PLAIN encoding. */
export const dictionaryPage = (body: Uint8Array, count: number, codec: Codec): Page =>
  page(body, codec, pageTypes.dictionary, 7, [count, encodings.PLAIN])

/**
 * PageHeader in Thrift's compact protocol, by hand: there is one per 20,000 values, and a tree of
 * objects (thrift.ts) takes longer. Every field is an i32: fields 1 to 3 are the type and the sizes, field `headerField` is the
 * header of the page's kind, whose own fields count from 1.
 */
function page(
  uncompressed: Uint8Array,
  codec: Codec,
  type: number,
  headerField: number,
  header: readonly number[],
): Page {
  const body = codec.compress(uncompressed)
  const bytes = new Uint8Array(48)
  let position = 0
  const int32 = (value: number): void => {
    bytes[position] = (1 << 4) | compactTypes.i32
    position = writeVarint(bytes, position + 1, zigzag(value))
  }
  int32(type)
  int32(uncompressed.length)
  int32(body.length)
  bytes[position++] = ((headerField - 3) << 4) | compactTypes.struct
  header.forEach(int32)
  // Two stops: the end of the inner struct and of the outer one.
  position += 2
  return { header: bytes.subarray(0, position), body, uncompressedSize: position + uncompressed.length }
}

/** Types in the low half of a compact field header; the high half is the distance to the field before. */
const compactTypes = { i32: 5, struct: 12 } as const

const zigzag = (value: number): number => (value << 1) ^ (value >> 31)
