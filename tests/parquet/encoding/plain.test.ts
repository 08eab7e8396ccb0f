import { expect, it } from '@jest/globals'
import { loadCodec } from '../../../jobs/parquet/codec.ts'
import { defaultLimits, encodeRowGroup } from '../../../jobs/parquet/row-group.ts'
import { bytes, column } from '../support.ts'

const text = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 16)

it.each([
  ['of all short lengths', Array.from({ length: 600 }, (_, i) => (i * 7) % 300), 1],
  ['of more bytes than the kernel takes at once', Array.from({ length: 70 }, () => 9001), 1],
  ['of more values than the kernel takes at once', Array.from({ length: 20_000 }, (_, i) => 4 + (i % 9)), 1],
  ['with one that the kernel has no room for', [3, 70, 600_000, 0, 5, 16, 17], 1],
  ['with one that is larger than a page', [3, 2_000_000, 5], 3],
])('texts %s are each behind their length', async (_, lengths, pages) => {
  const values = lengths.map(text)
  const codec = await loadCodec('none')
  const { chunks } = encodeRowGroup([column('v', { kind: 'string' }, true)], [bytes(values)], {
    ...defaultLimits,
    codec,
  })
  const expected = values.map((value) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(value.length)
    return Buffer.concat([length, value])
  })
  expect([chunks[0]!.indexedPages, chunks[0]!.plainPages]).toEqual([0, pages])
  const written = Buffer.concat(chunks[0]!.blocks)
  if (pages === 1) {
    const all = Buffer.concat(expected)
    expect(Buffer.compare(written.subarray(-all.length), all)).toBe(0)
  } else for (const value of expected) expect(written.includes(value)).toBe(true)
})
