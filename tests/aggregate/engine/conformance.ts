import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeCountsFile } from '../../../jobs/aggregate/counts-file.ts'
import type { EmailCounts } from '../../../jobs/aggregate/counts.ts'
import type { Engine } from '../../../jobs/aggregate/engine/engine.ts'
import { createEmailTable } from '../../../jobs/aggregate/log/email-table.ts'
import { createLogScanner } from '../../../jobs/aggregate/log/scanner.ts'
import { listCounts, takeAll, type Scanned } from '../log/scan.ts'

const day = '2024-09-10'
const time = `${day} 12:26:57`
const table = createEmailTable()

export interface EngineSettings {
  readonly scratch: string
  readonly threads: number
  /** Bytes. */
  readonly memoryLimit: number
  readonly signal: AbortSignal
}

/**
 * What every engine must do (jobs/aggregate/engine/engine.ts), run over one that `open` makes. `limited`: it takes its memory from
 * this process.
 */
export function engineConformance(
  name: string,
  open: (settings: EngineSettings) => Promise<Engine>,
  { limited } = { limited: true },
): void {
  describe(`engine ${name}`, () => {
    let folder: string
    let engine: Engine
    const settings = (): EngineSettings => ({
      scratch: folder,
      threads: 2,
      memoryLimit: 256 * 2 ** 20,
      signal: new AbortController().signal,
    })
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "lakejobs-engine's "))
      engine = await open(settings())
    })
    afterAll(async () => {
      await engine.close()
      await rm(folder, { recursive: true })
    })

    const countsFile = async (file: string, rows: readonly string[]): Promise<string> => {
      const scanner = createLogScanner(day, table.taker(day), ({ reason }) => {
        throw new Error(reason)
      })
      scanner.push(Buffer.from(rows.map((email) => `${email},READ,${time}\n`).join('')))
      scanner.end()
      const path = join(folder, file)
      await writeCountsFile(path, [takeAll(table)])
      return path
    }
    const merged = async (files: readonly string[]): Promise<Scanned['counts']> => {
      const rows: Scanned['counts'] = []
      for await (const batch of engine.merge(files)) rows.push(...listCounts(batch))
      return rows
    }

    describe('merge', () => {
      it('sums per email, sorted by bytes', async () => {
        // By UTF-16 units U+1F600 comes before U+FFEE, by bytes after it.
        const emails = ['\u{1F600}', '\uFFEE', 'é', 'z', 'a,b"\n', 'a', '\uFEFFa', 'aa', 'A', ' ', "it's"]
        const quoted = emails.map((email) => `"${email.replaceAll('"', '""')}"`)
        const files = [
          await countsFile('x.parquet', quoted),
          await countsFile("it's.parquet", [...quoted.slice(3), 'new', 'new']),
        ]
        const sorted = [...emails, 'new'].map((email) => Buffer.from(email)).sort((a, b) => a.compare(b))
        const expected = sorted.map((bytes): Scanned['counts'][number] => {
          const email = bytes.toString()
          const reads = email === 'new' || emails.indexOf(email) >= 3 ? 2 : 1
          return [bytes.toString('latin1'), 0, reads, 0, 0]
        })
        expect(await merged(files)).toEqual(expected)
      })

      it('hands over what was never there: nothing', async () => {
        const empty = await countsFile('empty.parquet', [])
        expect(await merged([empty, empty])).toEqual([])
        const one = await countsFile('one.parquet', ['a'])
        expect(await merged([empty, one])).toEqual([['a', 0, 1, 0, 0]])
      })

      it('keeps counts exact beyond 32 bits', async () => {
        const counts: EmailCounts = {
          rows: 1,
          emails: Buffer.from('a'),
          offsets: Uint32Array.of(0, 1),
          create: Float64Array.of(2 ** 52),
          read: Float64Array.of(2 ** 32 + 1),
          update: Float64Array.of(2 ** 31),
          delete: Float64Array.of(0),
        }
        const file = join(folder, 'large.parquet')
        await writeCountsFile(file, [counts])
        expect(await merged([file, file])).toEqual([['a', 2 ** 53, 2 ** 33 + 2, 2 ** 32, 0]])
      })

      it('hands over more than one batch, in order', async () => {
        const emails = Array.from({ length: 20_000 }, (_, i) => `user${String(i).padStart(5, '0')}`)
        const files = [await countsFile('1.parquet', emails), await countsFile('2.parquet', emails)]
        const sizes: number[] = []
        let last = ''
        for await (const batch of engine.merge(files)) {
          sizes.push(batch.rows)
          for (const [email, , reads] of listCounts(batch)) {
            if (email <= last || reads !== 2) throw new Error(`${email} after ${last}, ${reads}`)
            last = email
          }
        }
        expect(sizes.reduce((sum, rows) => sum + rows)).toBe(20_000)
        expect(sizes.length).toBeGreaterThan(1)
      })

      it('sums many files per email, wherever each begins and ends', async () => {
        // Characters that sort differently by UTF-16 units, need quoting in SQL, or exceed what statistics keep.
        const marks = ['é', "'", "''", '\u{1F600}', '\uFFEE', 'x'.repeat(5000), '\uFEFF', 'a', '%', '\\']
        const names = Array.from({ length: 60 }, (_, i) => `${marks[i % marks.length]!}${i}`)
        const all = Array.from({ length: 40 }, (_, file) => names.slice(file, file + 20))
        const files: string[] = []
        for (const [i, emails] of all.entries())
          files.push(
            await countsFile(
              `many-${i}.parquet`,
              emails.map((email) => `"${email}"`),
            ),
          )
        const reads = (email: string): number => all.filter((emails) => emails.includes(email)).length
        const expected = names
          .map((email) => ({ bytes: Buffer.from(email), reads: reads(email) }))
          .filter((email) => email.reads > 0)
          .sort((a, b) => a.bytes.compare(b.bytes))
        expect(await merged(files)).toEqual(
          expected.map(({ bytes, reads }) => [bytes.toString('latin1'), 0, reads, 0, 0]),
        )
        expect(await merged(new Array<string>(40).fill(files[0]!))).toEqual(
          all[0]!
            .map((email) => Buffer.from(email))
            .sort((a, b) => a.compare(b))
            .map((bytes) => [bytes.toString('latin1'), 0, 40, 0, 0]),
        )
      })

      it('fails when a file is none of ours', async () => {
        await writeFile(join(folder, 'foreign'), 'PAR1')
        await expect(merged([join(folder, 'foreign')])).rejects.toMatchObject({
          code: 'failed',
        })
        await expect(merged([join(folder, 'missing')])).rejects.toMatchObject({ code: 'failed' })
      })
    })

    // Spark's memory is its own, which no limit of ours makes too small.
    const itOfLimited = limited ? it : it.skip
    itOfLimited('names the fix when memory is too small even for spilling', async () => {
      const small = await open({ ...settings(), memoryLimit: 1_000_000 })
      try {
        const emails = Array.from({ length: 60_000 }, (_, i) => `user${i}@example.com`)
        const file = await countsFile('many.parquet', emails)
        const all = async (): Promise<void> => {
          for await (const batch of small.merge([file, file])) expect(batch.rows).toBeGreaterThan(0)
        }
        await expect(all()).rejects.toMatchObject({
          code: 'failed',
          fix: 'raise --memory-limit',
        })
      } finally {
        await small.close()
      }
    })

    it('stops when it is told to', async () => {
      const controller = new AbortController()
      const stopped = await open({ ...settings(), signal: controller.signal })
      try {
        // The first batch is here while the engine works at the next part; more are to come.
        const files = await Promise.all(
          ['a', 'b', 'c', 'd', 'e'].map((letter) =>
            countsFile(
              `${letter}.parquet`,
              Array.from({ length: 5_000 }, (_, i) => `${letter}${i}@example.com`),
            ),
          ),
        )
        const batches = stopped.merge(files)[Symbol.asyncIterator]()
        expect((await batches.next()).done).toBe(false)
        controller.abort(new Error('stopped'))
        const rest = async (): Promise<void> => {
          while ((await batches.next()).done !== true);
        }
        await expect(rest()).rejects.toThrow()
      } finally {
        await stopped.close()
      }
    })
  })
}
