import { describe, expect, it } from '@jest/globals'
import { loadCodec } from '../../../jobs/parquet/codec.ts'
import { dataPage, dictionaryPage } from '../../../jobs/parquet/page.ts'
import { pageHeader } from '../../../jobs/lake/pages/page-header.ts'

describe('the header of a page', () => {
  it.each([
    ['data, as they are', dataPage, 'PLAIN', { isDictionary: false, isIndexed: false }],
    ['data, by a dictionary', dataPage, 'RLE_DICTIONARY', { isDictionary: false, isIndexed: true }],
    ['a dictionary', undefined, 'PLAIN', { isDictionary: true, isIndexed: false }],
  ] as const)(
    '%s: says what was written, and is another or none with any byte changed',
    async (_, data, encoding, kind) => {
      const codec = await loadCodec('none')
      const body = new Uint8Array(300)
      const { header } =
        data === undefined ? dictionaryPage(body, 200, codec) : data(body, 200, encoding, codec)
      const written = pageHeader(header, 0)
      const sizes = { uncompressedSize: 300, compressedSize: 300, values: 200, body: header.length }
      expect(written).toEqual({ ...kind, ...sizes })
      const taken: string[] = []
      for (let at = 0; at < header.length; at++) {
        for (let value = 0; value < 256; value++) {
          const changed = Uint8Array.from(header)
          changed[at] = value
          const read = value === header[at] ? undefined : pageHeader(changed, 0)
          if (JSON.stringify(read) === JSON.stringify(written)) taken.push(`${at}: ${value}`)
        }
      }
      expect(taken).toEqual([])
    },
  )

  it.each([
    ['cut short', [0x15, 0, 0x15, 2]],
    [
      'a number longer than it need be',
      [0x15, 0x80, 0, 0x15, 2, 0x15, 2, 0x2c, 0x15, 2, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0],
    ],
    [
      'a number that is negative',
      [0x15, 0, 0x15, 1, 0x15, 2, 0x2c, 0x15, 2, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0],
    ],
    [
      'a number above 28 bits',
      [0x15, 0, 0x15, 130, 128, 128, 128, 0x15, 2, 0x2c, 0x15, 2, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0],
    ],
  ])('%s: none', (_, bytes) => {
    expect(pageHeader(Uint8Array.from(bytes), 0)).toBeUndefined()
  })
})
