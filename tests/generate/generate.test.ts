import { beforeEach, describe, expect, it } from '@jest/globals'
import { generate } from '../../jobs/generate/generate.ts'
import type { GenerateOptions } from '../../jobs/generate/options.ts'
import type { Progress } from '../../jobs/progress.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'

const dir = 'memory://logs/demo'
const base: GenerateOptions = {
  ...{ dir, firstDate: '2024-09-10', days: 7, emails: 10, events: 2000, seed: 1 },
  ...{ ifMissing: false, replace: false, demo: false },
}

let io: FileIO
let progressed: number
const progress: Progress = {
  start: () => ({ add: (count) => (progressed += count), done: () => undefined }),
}
const run = (options: Partial<GenerateOptions> = {}, signal = new AbortController().signal, store = io) =>
  generate(store, { ...base, ...options }, { signal, progress })
const text = async (day: string, store = io): Promise<string> =>
  (await store.read(`${dir}/${day}.csv`)).toString()
const names = async (): Promise<string[]> => {
  const found: string[] = []
  for await (const { location } of io.list(dir)) found.push(location.slice(dir.length + 1))
  return found.sort()
}

beforeEach(() => {
  io = memoryFileIO(() => new Date(0))
  progressed = 0
})

describe('generate', () => {
  it('writes one file per day like the published sample', async () => {
    const result = await run()
    const days = [10, 11, 12, 13, 14, 15, 16].map((day) => `2024-09-${day}`)
    expect(await names()).toEqual(days.map((day) => `${day}.csv`))
    const texts = await Promise.all(days.map((day) => text(day)))
    expect(result).toEqual({
      ...{ files: 7, rows: 14_000, bytes: texts.join('').length },
      outputs: days.map((day) => `${dir}/${day}.csv`),
    })
    expect(progressed).toBe(14_000)
    const rows = texts[3]!.split('\n')
    expect(rows).toHaveLength(2000)
    const form =
      /^[A-Za-z]{5,13}@(?:ya\.ru|mail\.ru|gmail\.com),(?:CREATE|READ|UPDATE|DELETE),2024-09-13 (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/
    for (const row of rows) expect(row).toMatch(form)
  })

  it('draws emails, actions and hours evenly', async () => {
    await run({ days: 1, events: 48_000 })
    const rows = (await text('2024-09-10')).split('\n').map((row) => row.split(','))
    const spread = (of: (row: string[]) => string, values: number): void => {
      const counts = new Map<string, number>()
      for (const row of rows) counts.set(of(row), (counts.get(of(row)) ?? 0) + 1)
      const mean = rows.length / values
      expect(counts.size).toBe(values)
      for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(6 * Math.sqrt(mean))
    }
    spread((row) => row[0]!, 10)
    spread((row) => row[1]!, 4)
    spread((row) => row[2]!.slice(11, 13), 24)
    spread((row) => row[2]!.slice(17), 60)
  })

  it('gives the same files in one call and in seven', async () => {
    await run()
    const other = memoryFileIO(() => new Date(0))
    for (let day = 16; day >= 10; day--) {
      await run({ firstDate: `2024-09-${day}`, days: 1 }, undefined, other)
    }
    for (let day = 10; day <= 16; day++) {
      expect(await text(`2024-09-${day}`, other)).toBe(await text(`2024-09-${day}`))
    }
    expect(await text('2024-09-10')).not.toBe(
      (await text('2024-09-11')).replaceAll('2024-09-11', '2024-09-10'),
    )
  })

  it('uses the same emails every day and others for another seed', async () => {
    const emailsOf = async (day: string) => [...new Set((await text(day)).match(/^[^,]+/gm))].sort()
    await run()
    const first = await emailsOf('2024-09-10')
    expect(first).toHaveLength(10)
    expect(await emailsOf('2024-09-16')).toEqual(first)
    await run({ seed: 2, replace: true })
    expect(await emailsOf('2024-09-10')).not.toEqual(first)
  })

  it('makes empty files of no events', async () => {
    expect(await run({ days: 1, events: 0 })).toMatchObject({ files: 1, rows: 0, bytes: 0 })
  })

  it('leaves days alone that exist, plain or compressed, if asked to', async () => {
    await io.write(`${dir}/2024-09-11.csv`, Buffer.from('mine'))
    await io.write(`${dir}/2024-09-12.csv.gz`, Buffer.from('mine'))
    expect(await run({ days: 4, ifMissing: true })).toMatchObject({
      ...{ files: 2, rows: 4000, outputs: [`${dir}/2024-09-10.csv`, `${dir}/2024-09-13.csv`] },
    })
    expect(await text('2024-09-11')).toBe('mine')
    expect(await names()).not.toContain('2024-09-12.csv')
    expect(progressed).toBe(8000)
    await run({ days: 2, replace: true })
    expect(await text('2024-09-11')).not.toBe('mine')
  })

  it.each(['2024-09-11.csv', '2024-09-12.csv.gz'])(
    'refuses days that exist, before any is made: %s',
    async (name) => {
      await io.write(`${dir}/${name}`, Buffer.from('mine'))
      await expect(run({ days: 4 })).rejects.toMatchObject({
        code: 'usage',
        message: `${dir}/${name} exists`,
      })
      expect(await names()).toEqual([name])
    },
  )

  it('makes no second form of a day, and is told one thing', async () => {
    await io.write(`${dir}/2024-09-11.csv.gz`, Buffer.from('mine'))
    await expect(run({ replace: true })).rejects.toMatchObject({
      message: expect.stringContaining('.gz exists'),
      fix: 'remove the .gz, which --replace does not touch, or give another folder',
    })
    await expect(run()).rejects.toMatchObject({
      fix: 'choose --if-missing (keep the days that exist) or remove the .gz, which --replace does not touch, or another folder',
    })
    await expect(run({ replace: true, ifMissing: true })).rejects.toMatchObject({ field: '--replace' })
  })

  it('leaves a day alone that another call publishes meanwhile', async () => {
    const racing: FileIO = {
      ...io,
      async create(location, options) {
        await io.write(location, Buffer.from('theirs'))
        return io.create(location, options)
      },
    }
    const signal = new AbortController().signal
    expect(await run({ days: 1, ifMissing: true }, signal, racing)).toMatchObject({ files: 0, outputs: [] })
    expect(await text('2024-09-10')).toBe('theirs')
  })

  it('publishes nothing of a day that was interrupted or failed', async () => {
    const controller = new AbortController()
    let aborted = 0
    const stopping: FileIO = {
      ...io,
      create: async (location, options) => {
        const output = await io.create(location, options)
        const write = async (chunk: Uint8Array): Promise<void> => {
          await output.write(chunk)
          controller.abort(new Error('stopped'))
        }
        const abort = (): Promise<void> => {
          aborted++
          return output.abort()
        }
        return { ...output, write, abort }
      },
    }
    await expect(run({ events: 100_000 }, controller.signal, stopping)).rejects.toThrow('stopped')
    expect(aborted).toBe(1)
    expect(await names()).toEqual([])
  })

  it.each([
    ['first-date', { firstDate: '2024-02-30' }],
    ['days', { days: 0 }],
    ['days', { days: 1.5 }],
    ['days', { firstDate: '9999-12-31', days: 2 }],
    ['emails', { emails: 0 }],
    ['emails', { emails: 52 ** 5 + 1 }],
    ['events-per-day', { events: -1 }],
    ['events-per-day', { events: Number.NaN }],
    ['seed', { seed: -1 }],
  ])('names the option that is wrong: %s %j', async (field, options) => {
    await expect(run(options)).rejects.toMatchObject({
      ...{ code: 'usage', field, message: expect.stringContaining(field) },
      fix: expect.any(String),
    })
    expect(await names()).toEqual([])
  })
})

describe('generate with demo', () => {
  it('marks an empty folder and comes back to it', async () => {
    await run({ demo: true, days: 1 })
    await run({ demo: true, ifMissing: true, days: 2 })
    expect(await names()).toEqual(['.lakejobs-demo', '2024-09-10.csv', '2024-09-11.csv'])
  })

  it('refuses a folder with files of others', async () => {
    await io.write(`${dir}/2024-09-01.csv`, Buffer.from('real'))
    await expect(run({ demo: true })).rejects.toMatchObject({ code: 'usage', field: '--dir' })
    expect(await names()).toEqual(['2024-09-01.csv'])
    await expect(run({ demo: false, days: 1 })).resolves.toMatchObject({ files: 1 })
  })

  it('of several at once in a new folder none takes the others’ files for foreign ones', async () => {
    // The others have marked the folder and written to it between our look for the mark and our list.
    const late: FileIO = {
      ...io,
      async *list(prefix) {
        await run({ demo: true, days: 1 })
        yield* io.list(prefix)
      },
    }
    await run({ demo: true, ifMissing: true, days: 2 }, undefined, late)
    expect(await names()).toEqual(['.lakejobs-demo', '2024-09-10.csv', '2024-09-11.csv'])
  })
})
