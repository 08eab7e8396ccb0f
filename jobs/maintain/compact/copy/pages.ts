import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import type { RelocatableChunk } from '../../../parquet/chunk.ts'
import { pageTypes } from '../../../parquet/page.ts'

/** parquet.thrift's `PageHeader`: the page's type, its bytes behind the header, and a data page's values. */
interface PageHeader {
  readonly field_1: number
  readonly field_3: number
  readonly field_5?: { readonly field_1: number }
}

/**
 * What is wrong with the pages of a chunk; undefined: they lie behind each other in its bytes to their end, as many as the footer
 * says, with as many values. The values themselves are not decoded.
 */
export function wrongPages(
  bytes: Uint8Array,
  { dataPageOffset, indexedPages, plainPages, metrics, pageIndex }: RelocatableChunk,
): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reader = { view, offset: 0 }
  let [pages, values] = [0, 0]
  while (reader.offset < bytes.length) {
    const isDictionary = reader.offset < dataPageOffset
    const start = reader.offset
    const header = headerAt(reader)
    if (header?.field_1 !== (isDictionary ? pageTypes.dictionary : pageTypes.data))
      return `there is no page at byte ${start}`
    reader.offset += header.field_3
    if (isDictionary && reader.offset !== dataPageOffset) return 'its dictionary has another size'
    if (isDictionary) continue
    if (pageIndex !== undefined && reader.offset - start !== pageIndex.bytes[pages])
      return `the page at byte ${start} is not as its index says`
    pages++
    values += header.field_5?.field_1 ?? 0
  }
  if (reader.offset !== bytes.length) return 'its last page is cut off'
  if (pages !== indexedPages + plainPages) return `it has ${pages} pages of ${indexedPages + plainPages}`
  return values === metrics.valueCount ? undefined : `it has ${values} values of ${metrics.valueCount}`
}

function headerAt(reader: { readonly view: DataView; offset: number }): PageHeader | undefined {
  try {
    const header = deserializeTCompactProtocol(reader) as unknown as PageHeader
    return header.field_3 >= 0 ? header : undefined
  } catch {
    return undefined
  }
}
