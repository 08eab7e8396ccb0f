import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCountsFile } from '../../../jobs/aggregate/counts-file.ts'
import { readDay, type DayRead, type Helpers } from '../../../jobs/aggregate/day/read-day.ts'
import { createShare } from '../../../jobs/aggregate/day/share.ts'
import { mergeLists } from '../../../jobs/aggregate/lists/merge-lists.ts'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import { expectSame } from '../../support/expect-same.ts'
import { listCounts, type Scanned } from '../log/scan.ts'

const day = '2024-09-10'
function rowsOf(emails: number): string {
  let rows = ''
  for (let i = 0; i < emails; i++) rows += `user${i}@example.com,READ,${day} 12:26:57\n`
  return rows
}

const rowsOfList = (path: string): Scanned['counts'] => {
  const rows: Scanned['counts'] = []
  for (const batch of mergeLists([path], 1000)) rows.push(...listCounts(batch))
  return rows
}

describe('readDay', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakejobs-read-day-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const read = async (text: string, partBytes = 2 ** 30, helpers?: Helpers): Promise<DayRead> => {
    const path = join(folder, `${day}.csv`)
    await writeFile(path, text)
    const request = {
      day,
      location: `file://${path}`,
      size: text.length,
      scratch: folder,
      partBytes,
      alonePartBytes: 2 ** 30,
    }
    return readDay(request, localFileIO(), () => undefined, new AbortController().signal, helpers)
  }

  it('hands the counts of few emails over in memory', async () => {
    const { counts, files } = await read(`a,READ,${day} 00:00:00\n`.repeat(3))
    expect([counts?.rows, files]).toEqual([1, undefined])
  })

  it('writes those of many to files, whatever the rows look like', async () => {
    const unusual = `"q""u",CREATE,${day} 00:00:00\r\né,DELETE,2024-09-11 00:00:01\nbad\n\n`
    const { counts, files, totals } = await read(`${rowsOf(70_000)}${unusual}a,READ`)
    expect([counts, files?.emails]).toEqual([undefined, 70_002])
    expect(totals).toMatchObject({
      rows: 70_002,
      events: [1, 70_000, 0, 1],
      rejects: 2,
      blankLines: 1,
      otherDayRows: 1,
    })
    const written = listCounts(await decodeCountsFile(await readFile(files!.parquet.path)))
    expect(written).toHaveLength(70_002)
    expect(written.slice(0, 2)).toEqual([
      ['q"u', 1, 0, 0, 0],
      ['user0@example.com', 0, 1, 0, 0],
    ])
    expect(written.at(-1)).toEqual([Buffer.from('é').toString('latin1'), 0, 0, 0, 1])
    expectSame(rowsOfList(files!.list.path), written)
  })

  it('makes the same files where memory is little, and leaves no part', async () => {
    const text = rowsOf(100_000).repeat(2)
    const { parquet, list } = (await read(text)).files!
    const expected = await readFile(parquet.path)
    expect(parquet).toMatchObject({
      size: expected.length,
      sha256: createHash('sha256').update(expected).digest('hex'),
    })
    await Promise.all([parquet, list].map(({ path }) => rm(path)))
    const { counts, files } = await read(text, 3 * 2 ** 20)
    expect([counts, files?.emails]).toEqual([undefined, 100_000])
    expect([files!.list, files!.parquet]).toEqual([list, parquet])
    expect((await readFile(parquet.path)).equals(expected)).toBe(true)
    expect((await readdir(folder)).sort()).toEqual([`${day}.csv`, `${day}.list`, `${day}.parquet`])
  })

  it('holds more of a day that is read alone: nothing is written in parts then', async () => {
    const text = rowsOf(60_000)
    const others: Helpers = { isAlone: () => false, areFree: () => false, claim: () => undefined }
    expect((await read(text, 3 * 2 ** 20, others)).counts).toBeUndefined()
    const { counts } = await read(text, 3 * 2 ** 20, { ...others, isAlone: () => true })
    expect(counts?.rows).toBe(60_000)
  })

  it('adds what another thread has counted of it, few emails or many', async () => {
    // Few emails, until helpers are asked for.
    const text = `a,READ,${day} 00:00:00\n`.repeat(1_250_000) + rowsOf(200_000)
    const { list } = (await read(text)).files!
    for (const blocks of [1, 3]) {
      let claims = 0
      const helpers: Helpers = {
        isAlone: () => false,
        areFree: () => true,
        claim(request) {
          if (claims++ > 0) return undefined
          const share = createShare(request)
          let left = blocks
          return {
            scan(block, scanned) {
              left--
              scanned(share.scan(block))
            },
            waiting: () => (left > 0 ? 0 : 2),
            finish: () => Promise.resolve(share.finish()),
          }
        },
      }
      const { files, totals } = await read(text, 2 ** 30, helpers)
      expect([files?.list, totals.rows]).toEqual([list, 1_450_000])
      expect(claims).toBeGreaterThan(0)
    }
  })

  it('asks for no help with many emails, which each thread would gather once more', async () => {
    let claims = 0
    const claim = (): undefined => {
      claims++
    }
    const helpers: Helpers = { isAlone: () => true, areFree: () => true, claim }
    const { totals } = await read(rowsOf(800_000), 2 ** 30, helpers)
    expect([totals.rows, claims]).toEqual([800_000, 0])
  })

  it('starts each day with nothing of the one before', async () => {
    await read(rowsOf(70_000))
    const { counts } = await read(`a,READ,${day} 00:00:00\n`)
    expect(listCounts(counts!)).toEqual([['a', 0, 1, 0, 0]])
  })
})
