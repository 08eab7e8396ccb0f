import { describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCountsFile, writeCountsFile } from '../../jobs/aggregate/counts-file.ts'
import type { EmailCounts } from '../../jobs/aggregate/counts.ts'
import { countsOf } from './counts.ts'
import { listCounts } from './log/scan.ts'

async function again(counts: EmailCounts): Promise<EmailCounts> {
  const folder = await mkdtemp(join(tmpdir(), 'lakejobs-counts-'))
  try {
    await writeCountsFile(join(folder, 'x.parquet'), [counts])
    return await decodeCountsFile(await readFile(join(folder, 'x.parquet')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('a counts file', () => {
  it.each([
    ['no row', []],
    ['a row', [['a', 1, 2, 3, 4]]],
    [
      'any email',
      ['\uFEFFa', ' ', '"', 'a\r\n,b', 'é', '\uFFEE', '\u{1F600}'].map((email) => [email, 0, 1, 0, 0]),
    ],
    ['counts beyond 32 bits', [['a', 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, 2 ** 53]]],
    ['many rows', Array.from({ length: 5000 }, (_, i) => [`user${i % 7}-${i}`, i, 0, i % 3, 1])],
    ['a long email', [['x'.repeat(1_000_000), 1, 0, 0, 0]]],
  ] as [string, [string, number, number, number, number][]][])('gives %s back', async (_, rows) => {
    const counts = countsOf(rows)
    const read = await again(counts)
    expect(listCounts(read)).toEqual(listCounts(counts))
    expect(read.rows).toBe(rows.length)
  })

  it('names the path where it cannot be written', async () => {
    await expect(writeCountsFile('/nowhere/x.parquet', [countsOf([])])).rejects.toMatchObject({
      code: 'failed',
      field: '/nowhere/x.parquet',
    })
  })
})
