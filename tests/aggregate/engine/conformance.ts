import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCountsFile, writeCountsFile } from '../../../jobs/aggregate/counts-file.ts'
import type { EmailCounts } from '../../../jobs/aggregate/counts.ts'
import { isPlain } from '../../../jobs/aggregate/day/plain.ts'
import type { Engine } from '../../../jobs/aggregate/engine/engine.ts'
import { createEmailCounter } from '../../../jobs/aggregate/log/counter.ts'
import { createLogScanner } from '../../../jobs/aggregate/log/scanner.ts'
import { listCounts, scan, type Scanned } from '../log/scan.ts'

const day = '2024-09-10'
const time = `${day} 12:26:57`
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

export interface EngineSettings {
  readonly scratch: string
  readonly threads: number
  /** Bytes. */
  readonly memoryLimit: number
  readonly signal: AbortSignal
}

/** What every engine must do (jobs/aggregate/engine/engine.ts), run over one that `open` makes. */
export function engineConformance(name: string, open: (settings: EngineSettings) => Promise<Engine>): void {
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

    const countsOf = async (file: string): Promise<Scanned['counts']> =>
      listCounts(await decodeCountsFile(await readFile(file)))

    /** What the engine counts in `bytes`; undefined when it cannot read them. */
    const count = async (bytes: Buffer) => {
      const [log, target] = [join(folder, 'log.csv'), join(folder, 'counts.parquet')]
      await writeFile(log, bytes)
      const counted = await engine.countLog(log, target)
      return counted === undefined ? undefined : { ...counted, counts: await countsOf(target) }
    }

    /** That the engine counts what the scanner counts, where the scanner proves every record. False: it does not. */
    const expectAgreement = async (bytes: Buffer): Promise<boolean> => {
      const { totals, counts } = scan([bytes])
      const { rejects, blankLines, headerLines } = totals
      if (!isPlain(bytes, true) || rejects + blankLines + headerLines > 0) return false
      const counted = await count(bytes)
      if (counted === undefined) return false
      expect(counted).toEqual({ rows: totals.rows, emails: counts.length, counts })
      return true
    }

    describe('countLog', () => {
      const row = (email: string, action = 'READ', at = time): string => `${email},${action},${at}\n`

      it.each([
        ['all actions', row('b', 'CREATE') + row('a', 'UPDATE') + row('a', 'DELETE') + row('a')],
        ['a missing last line feed', (row('a') + row('b')).trimEnd()],
        [
          'rows of other days',
          row('a', 'READ', '1999-12-31 23:59:59') + row('a', 'READ', '0001-01-01 00:00:00'),
        ],
        [
          'emails of any characters',
          ['é', '\u{1F600}', '\uFFEE', ' a ', "'", '\\', '\t', '#x', '\uFEFFb', 'NULL', 'A']
            .map((email) => row(email))
            .join(''),
        ],
        ['a number, a date and a long text for an email', row('1') + row(day) + row('x'.repeat(900_000))],
        ['the ends of a day', row('a', 'READ', `${day} 00:00:00`) + row('a', 'READ', `${day} 23:59:59`)],
      ])('counts %s as the scanner does', async (_, text) => {
        expect(await expectAgreement(Buffer.from(text))).toBe(true)
      })

      it('counts an empty file, or says that it cannot', async () => {
        await expectAgreement(Buffer.alloc(0))
      })

      it.each([
        ['invalid UTF-8', '\xff,READ,2024-09-10 00:00:00\n'],
        ['a line of a million and a half bytes', row('a') + row('x'.repeat(1_500_000))],
      ])('survives %s and is ready for the next file', async (_, text) => {
        expect(await count(latin1(text))).toBeUndefined()
        expect(await expectAgreement(latin1(row('a')))).toBe(true)
      })

      it.each([999_960, 1_000_000, 1_048_500, 1_048_576, 1_048_577])(
        'agrees on lines of about the longest length: %d bytes',
        async (length) => {
          const rest = row('').length
          await expectAgreement(latin1(row('a') + row('x'.repeat(length - rest)) + row('b')))
        },
      )

      it('agrees on any proven log', async () => {
        const records = fc
          .tuple(
            fc.constantFrom('a', 'b@x', 'é', '\u{1F600}', 'a b', ' ', '#', "'"),
            fc.constantFrom('CREATE', 'READ', 'UPDATE', 'DELETE'),
            fc.constantFrom(time, '1999-01-01 00:00:00', `${day} 23:59:59`),
          )
          .map((fields) => `${fields.join(',')}\n`)
        const logs = fc.tuple(fc.array(records, { minLength: 1, maxLength: 12 }), fc.boolean())
        await fc.assert(
          fc.asyncProperty(logs, async ([lines, cut]) => {
            const text = lines.join('')
            expect(await expectAgreement(Buffer.from(cut ? text.slice(0, -1) : text))).toBe(true)
          }),
          { numRuns: 60 },
        )
      })
    })

    const countsFile = async (file: string, rows: readonly string[]): Promise<string> => {
      const counter = createEmailCounter()
      const scanner = createLogScanner(day, counter, ({ reason }) => {
        throw new Error(reason)
      })
      scanner.push(Buffer.from(rows.map((email) => `${email},READ,${time}\n`).join('')))
      scanner.end()
      const path = join(folder, file)
      await writeCountsFile(path, counter.take())
      return path
    }
    const merged = async (files: readonly string[]): Promise<Scanned['counts']> => {
      const rows: Scanned['counts'] = []
      for await (const batch of engine.merge(files)) rows.push(...listCounts(batch))
      return rows
    }

    describe('merge and mergeToFile', () => {
      it('sum per email, sorted by bytes', async () => {
        // By UTF-16 units U+1F600 comes before U+FFEE, by bytes after it.
        const emails = ['\u{1F600}', '\uFFEE', 'é', 'z', 'a,b"\n', 'a', '\uFEFFa', 'aa', 'A', ' ', "it's"]
        const quoted = emails.map((email) => `"${email.replaceAll('"', '""')}"`)
        const files = [
          await countsFile('x.parquet', quoted),
          await countsFile("it's.parquet", [...quoted.slice(3), 'new', 'new']),
        ]
        const sorted = [...emails, 'new'].map((email) => Buffer.from(email)).sort((a, b) => a.compare(b))
        const expected = sorted.map((bytes) => {
          const email = bytes.toString()
          const reads = email === 'new' || emails.indexOf(email) >= 3 ? 2 : 1
          return [bytes.toString('latin1'), 0, reads, 0, 0]
        })
        expect(await merged(files)).toEqual(expected)
        const target = join(folder, 'merged.parquet')
        expect(await engine.mergeToFile(files, target)).toBe(expected.length)
        expect(await countsOf(target)).toEqual(expected)
      })

      it('hand over what was never there: nothing', async () => {
        const empty = await countsFile('empty.parquet', [])
        expect(await merged([empty, empty])).toEqual([])
        const target = join(folder, 'merged.parquet')
        expect(await engine.mergeToFile([empty], target)).toBe(0)
        expect(await countsOf(target)).toEqual([])
        const one = await countsFile('one.parquet', ['a'])
        expect(await merged([empty, one])).toEqual([['a', 0, 1, 0, 0]])
      })

      it('keep counts exact beyond 32 bits', async () => {
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
        await writeCountsFile(file, counts)
        expect(await merged([file, file])).toEqual([['a', 2 ** 53, 2 ** 33 + 2, 2 ** 32, 0]])
      })

      it('hand over more than one batch, in order', async () => {
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

      it('sum many files per email, wherever each begins and ends', async () => {
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

      it('fail when a file is none of ours', async () => {
        await writeFile(join(folder, 'foreign'), 'PAR1')
        await expect(engine.mergeToFile([join(folder, 'foreign')], join(folder, 'x'))).rejects.toMatchObject({
          code: 'failed',
        })
        await expect(merged([join(folder, 'missing')])).rejects.toMatchObject({ code: 'failed' })
      })
    })

    it('names the fix when memory is too small even for spilling', async () => {
      const small = await open({ ...settings(), memoryLimit: 1_000_000 })
      try {
        const emails = Array.from({ length: 60_000 }, (_, i) => `user${i}@example.com`)
        const file = await countsFile('many.parquet', emails)
        await expect(small.mergeToFile([file, file], join(folder, 'x'))).rejects.toMatchObject({
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
        const emails = Array.from({ length: 60_000 }, (_, i) => `user${i}@example.com`)
        const file = await countsFile('many.parquet', emails)
        const working = stopped.mergeToFile(
          new Array<string>(100).fill(file),
          join(folder, 'stopped.parquet'),
        )
        setTimeout(() => {
          controller.abort(new Error('stopped'))
        }, 50)
        await expect(working).rejects.toThrow()
      } finally {
        await stopped.close()
      }
    })
  })
}
