import { describe, expect, it } from '@jest/globals'
import { readCountsText } from '../../../jobs/aggregate/engine/counts-text.ts'
import { listCounts, pieces, type Scanned } from '../log/scan.ts'

const record = (email: string, ...counts: number[]): Buffer =>
  Buffer.from([Buffer.byteLength(email), ...counts, email].join() + '\n')

async function read(bytes: Buffer, size: number): Promise<Scanned['counts']> {
  const rows: Scanned['counts'] = []
  for await (const batch of readCountsText(toStream(pieces(bytes, size)))) rows.push(...listCounts(batch))
  return rows
}
async function* toStream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  await Promise.resolve()
  yield* chunks
}

describe('readCountsText', () => {
  const emails = ['a', 'é', ' "x",\n1,2,3', '\u{1F600}', 'x'.repeat(300)]
  const text = Buffer.concat(emails.map((email, i) => record(email, i, 2 ** 40, 0, 2 ** 53)))
  const expected = emails.map((email, i) => [Buffer.from(email).toString('latin1'), i, 2 ** 40, 0, 2 ** 53])

  it.each([1, 2, 3, 7, 64, 1000])('reads rows from chunks of %d bytes', async (size) => {
    expect(await read(text, size)).toEqual(expected)
  })

  it('hands over batches of at most 16,384 rows, none of them empty', async () => {
    const many = Buffer.concat(Array.from({ length: 40_000 }, (_, i) => record(String(i), 1, 0, 0, 0)))
    const sizes: number[] = []
    for await (const { rows } of readCountsText(toStream([many]))) sizes.push(rows)
    expect(sizes).toEqual([16_384, 16_384, 7232])
    expect(await read(Buffer.alloc(0), 1)).toEqual([])
  })

  it('makes room for a long email in the middle of a batch', async () => {
    const long = 'x'.repeat(3 << 20)
    const rows = await read(Buffer.concat([record('a', 1, 1, 1, 1), record(long, 1, 1, 1, 1)]), 1 << 16)
    expect(rows.map(([email]) => email.length)).toEqual([1, 3 << 20])
  })

  it.each([1, 5, text.length - 1])('does not take %d bytes of a text for all of it', async (length) => {
    await expect(read(text.subarray(0, length), 64)).rejects.toThrow('end inside a row')
  })
})
