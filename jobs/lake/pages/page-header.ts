import { encodings, pageTypes } from '../../parquet/page.ts'

/** What a page says of itself, where it is one as the export writes them. */
export interface PageHeader {
  readonly isDictionary: boolean
  readonly uncompressedSize: number
  readonly compressedSize: number
  /** Entries of a dictionary, rows of a data page. */
  readonly values: number
  readonly isIndexed: boolean
  /** Where the body begins. */
  readonly body: number
}

/** Field headers of Thrift's compact protocol: the distance to the field before, and the type. */
const int32 = 0x15
const dataStruct = 0x2c
const dictionaryStruct = 0x4c

/**
 * Reads the PageHeader (parquet.thrift) at `at`. Undefined: it has other fields than the export's, or values that no page of
 * its has: a data page v1 with RLE levels, PLAIN or by a dictionary; a dictionary in PLAIN.
 */
export function pageHeader(bytes: Uint8Array, at: number): PageHeader | undefined {
  let other = false
  const hasOther = (): boolean => other
  const byte = (expected: number): void => {
    other ||= bytes[at++] !== expected
  }
  const number = (): number => {
    byte(int32)
    let value = 0
    let shift = 0
    let part = 128
    for (; part > 127 && shift < 28; shift += 7) {
      part = bytes[at++] ?? 0
      value |= (part & 127) << shift
    }
    // Zigzag: none is negative, nor longer than it need be.
    other ||= part > 127 || (value & 1) === 1 || (part === 0 && shift > 7)
    return value >>> 1
  }
  const [type, uncompressedSize, compressedSize] = [number(), number(), number()]
  const isDictionary = type === pageTypes.dictionary
  if (!isDictionary && type !== pageTypes.data) return undefined
  byte(isDictionary ? dictionaryStruct : dataStruct)
  const [values, encoding] = [number(), number()]
  if (!isDictionary && (number() !== encodings.RLE || number() !== encodings.RLE)) return undefined
  byte(0)
  byte(0)
  const isIndexed = encoding === encodings.RLE_DICTIONARY
  const isOurs = isIndexed ? !isDictionary : encoding === encodings.PLAIN
  const header = { isDictionary, uncompressedSize, compressedSize, values, isIndexed, body: at }
  return isOurs && !hasOther() ? header : undefined
}
