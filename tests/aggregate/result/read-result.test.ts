import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { EmailCounts } from '../../../jobs/aggregate/counts.ts'
import { resultReader } from '../../../jobs/aggregate/result/read-result.ts'
import { writeResult } from '../../../jobs/aggregate/result/write-result.ts'
import { countsOf } from '../counts.ts'
import { written as writtenBy } from './output.ts'

type Row = readonly [string, number, number, number, number]

const written = (rows: readonly Row[]): Promise<Buffer> =>
  writtenBy((output) => writeResult(output, [countsOf(rows)]))

function rowsOf({ rows, emails, offsets, create, read, update, delete: deleted }: EmailCounts): Row[] {
  return Array.from({ length: rows }, (_, row): Row => [
    Buffer.from(emails.subarray(offsets[row], offsets[row + 1])).toString(),
    ...([create[row]!, read[row]!, update[row]!, deleted[row]!] as const),
  ])
}

async function read(chunks: Iterable<Uint8Array>): Promise<EmailCounts[]> {
  const batches: EmailCounts[] = []
  const reader = resultReader((batch) => {
    batches.push(batch)
    return Promise.resolve()
  })
  for (const chunk of chunks) await reader.push(chunk)
  await reader.end()
  return batches
}

/** In pieces of `size` bytes, each in the memory of the one before: nothing of it may be kept. */
function* pieces(bytes: Buffer, size: number): Generator<Uint8Array> {
  const shared = Buffer.alloc(size)
  for (let at = 0; at < bytes.length; at += size)
    yield shared.subarray(0, bytes.copy(shared, 0, at, at + size))
}

const email = fc.string({
  unit: fc.constantFrom('a', '@', '"', ',', '\n', '\r', 'é', ' ', '\ufeff'),
  minLength: 1,
})
const count = fc.oneof(fc.nat(9), fc.maxSafeNat())

describe('resultReader', () => {
  it('reads any result as it was written, however it is cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(email, count, count, count, count)),
        fc.integer({ min: 1, max: 70 }),
        async (rows, size) => {
          const batches = await read(pieces(await written(rows), size))
          expect(batches.flatMap(rowsOf)).toEqual(rows)
        },
      ),
    ))

  it('hands over many rows in batches', async () => {
    const rows = Array.from({ length: 600_000 }, (_, at): Row => [`${at}@x.org`, at, 0, 1, 2])
    const batches = await read([await written(rows)])
    expect(batches.map((batch) => batch.rows)).toEqual([262_144, 262_144, 75_712])
    expect(rowsOf(batches[2]!).at(-1)).toEqual(rows.at(-1))
  })

  it.each([
    ['what has another header', 'email,created\n'],
    ['what ends inside a row', 'email,create_count,read_count,update_count,delete_count\na@x.org,1,2,3,4'],
    ['what ends inside its header', 'email,cre'],
    [
      'a row with more fields',
      'email,create_count,read_count,update_count,delete_count\na@x.org,1,2,3,4,5\n',
    ],
  ])('refuses %s', async (_, text) => {
    await expect(read([Buffer.from(text)])).rejects.toThrow('result')
  })
})
