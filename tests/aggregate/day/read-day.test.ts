import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDay, type DayRead } from '../../../jobs/aggregate/day/read-day.ts'
import { localFileIO } from '../../../jobs/storage/local.ts'

const day = '2024-09-10'
/** More emails than the scanner keeps to itself, over more than one chunk of the reader. */
const many = Array.from({ length: 40_000 }, (_, i) => `user${i}@example.com,READ,${day} 12:26:57\n`).join('')

describe('readDay', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakejobs-read-day-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const read = async (text: string, engineMayCount = true): Promise<DayRead & { outgrown: number }> => {
    const path = join(folder, `${day}.csv`)
    await writeFile(path, text)
    let outgrown = 0
    const events = { onOutgrown: () => (outgrown += 1), onBytes: () => undefined }
    const request = {
      day,
      location: `file://${path}`,
      size: text.length,
      scratch: folder,
      engineMayCount,
    }
    const result = await readDay(request, localFileIO(), events, new AbortController().signal)
    return { ...result, outgrown }
  }

  it('counts a day with few emails itself', async () => {
    const { countedBy, outgrown, counts } = await read(`a,READ,${day} 00:00:00\n`.repeat(3))
    expect([countedBy, outgrown, counts?.rows]).toEqual(['scanner', 0, 1])
  })

  it('leaves a clean day with many to the engine, and goes on proving it', async () => {
    const { countedBy, outgrown, totals, counts } = await read(
      `${many}late@example.com,READ,2024-09-11 00:00:01\n`,
    )
    expect([countedBy, outgrown, counts]).toEqual(['engine', 1, undefined])
    expect(totals).toEqual({ rows: 40_001, otherDayRows: 1, rejects: 0, blankLines: 0, headerLines: 0 })
  })

  it.each([
    ['a reject', 'a,READ,2024-9-10 0:0:0\n'],
    ['a blank line', '\n'],
    ['a quote', `"a",READ,${day} 00:00:00\n`],
    ['a CR', `a,READ,${day} 00:00:00\r\n`],
    ['an unfinished last line', 'a,READ'],
  ])('takes the day back for %s after it was left', async (_, bad) => {
    const { countedBy, outgrown } = await read(many + bad)
    expect([countedBy, outgrown]).toEqual(['again', 1])
  })

  it.each([
    ['a header', 'email,action,timestamp\n'],
    ['a BOM', '\uFEFF'],
    ['a reject', 'a,read\n'],
  ])('never leaves a day that starts with %s', async (_, start) => {
    const { countedBy, outgrown, counts } = await read(start + many)
    expect([countedBy, outgrown, counts?.rows]).toEqual(['scanner', 0, 40_000])
  })

  it('counts itself where no engine may', async () => {
    const { countedBy, outgrown, counts } = await read(many, false)
    expect([countedBy, outgrown, counts?.rows]).toEqual(['scanner', 0, 40_000])
  })
})
