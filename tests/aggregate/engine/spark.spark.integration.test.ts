import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import pino from 'pino'
import { createLogScanner } from '../../../jobs/aggregate/log/scanner.ts'
import { createEmailTable } from '../../../jobs/aggregate/log/email-table.ts'
import { firstLook } from '../../../jobs/aggregate/spark/first-look.ts'
import { parsePathMap } from '../../../jobs/aggregate/spark/path-map.ts'
import { countDay } from '../../../jobs/aggregate/spark/plans.ts'
import { createSparkEngine, type SparkSettings } from '../../../jobs/aggregate/spark/spark-engine.ts'
import { openSession } from '../../../jobs/spark/session.ts'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import type { Outcome } from '../../../jobs/summary.ts'
import { testRemote } from '../../spark/server.ts'
import { createBench, type Asked, type Bench } from '../job.ts'
import { engineConformance } from './conformance.ts'

const spark: SparkSettings = { remote: testRemote(), toSpark: parsePathMap(undefined), patienceMs: 60_000 }

engineConformance(
  'spark',
  ({ scratch, signal }) => {
    const io = localFileIO()
    const engine = createSparkEngine({
      ...spark,
      input: io,
      cache: io,
      cachePlace: `file://${scratch}/cache`,
      scratch,
      runId: randomUUID(),
      logger: pino({ level: 'silent' }),
      signal,
      onBytes: () => undefined,
    })
    const merge = (paths: readonly string[]): ReturnType<typeof engine.merge> =>
      engine.merge(paths.map((path) => `file://${path}`))
    return Promise.resolve({ merge, close: () => engine.close() })
  },
  { limited: false },
)

const timed = (email: string, time: string, action = 'READ'): string => `${email},${action},${time}\n`
const rows = (day: string, emails: readonly string[]): string =>
  emails
    .map((email, i) => timed(email, `${day} 0${i % 10}:00:59`, ['CREATE', 'READ', 'UPDATE', 'DELETE'][i % 4]))
    .join('')
const plain = [
  'a@x',
  'b@x',
  ' ',
  'Ä@x',
  '\u{1F600}',
  '\uFFEE',
  "it's;|\t\\",
  'a@x',
  '%_*',
  'é'.repeat(300),
  '\u0085\u2028',
]

/** What a run says that both engines must say alike. */
const told = ({
  rows,
  rejects,
  otherDayRows,
  missingDays,
  bytes,
  files,
  cachedDays,
  scannedDays,
}: Outcome): object => ({
  rows,
  rejects,
  otherDayRows,
  missingDays,
  bytes,
  files,
  cachedDays,
  scannedDays,
})

describe('aggregate --engine spark and the embedded engine', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await createBench()
  })
  afterAll(async () => {
    await bench.remove()
  })
  const input = "in,put {a,b} [c]* day=1 %20 #?'"
  const log = (day: string, content: string | Uint8Array, ending = ''): Promise<void> =>
    bench.write(`${input}/${day}.csv${ending}`, content)
  const filesOf = async (place: string): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(
        (await bench.files(place)).map(async (name) => [
          name,
          (await readFile(join(bench.folder, place, name))).toString('latin1'),
        ]),
      ),
    ) as Record<string, string>
  /** Runs with both engines, each with places of its own: same results, rejects, records and numbers. */
  const both = async (asked: Asked): Promise<Outcome> => {
    const embedded = await bench.run({ ...asked, input, output: 'a', cache: 'cache-a' })
    const outcome = await bench.run({ ...asked, input, output: 'b', cache: 'cache-b', spark })
    expect(told(outcome)).toEqual(told(embedded))
    expect(await filesOf('b')).toEqual(await filesOf('a'))
    expect(await bench.files('scratch')).toEqual([])
    expect((await bench.files('cache-b')).filter((name) => name.startsWith('spark'))).toEqual([])
    return outcome
  }
  /** Days whose counts Spark wrote. */
  const countedBySpark = async (cache: string): Promise<string[]> => {
    const files = (await bench.files(cache)).filter((name) => name.endsWith('.parquet'))
    const texts = await Promise.all(files.map((name) => readFile(join(bench.folder, cache, name), 'latin1')))
    return files.filter((_, i) => texts[i]!.includes('parquet-mr')).map((name) => name.slice(0, 10))
  }
  /** What cache entries say, without where their files are and when the log was read. */
  const entries = async (cache: string): Promise<unknown[]> => {
    const names = (await bench.files(cache)).filter((name) => /^\d{4}-.*\.json$/.test(name))
    return Promise.all(
      names.map(async (name) => {
        const { entry } = JSON.parse(await bench.read(`${cache}/${name}`)) as {
          entry: Record<string, unknown>
        }
        return { ...entry, counts: undefined, rejectsFile: undefined, source: undefined, name }
      }),
    )
  }

  it('come to the same bytes, rejects and numbers, whatever is in the logs', async () => {
    const utf8 = plain.map((email, i) => `${email}${i}`)
    await log('2024-09-10', rows('2024-09-10', plain))
    await log('2024-09-11', gzipSync(rows('2024-09-11', [...plain, 'only gz'])), '.gz')
    await log('2024-09-12', `\uFEFF${rows('2024-09-12', plain)}`)
    await log(
      '2024-09-13',
      `${rows('2024-09-13', utf8).replaceAll('\n', '\r\n')}"q""u,o",READ,2024-09-13 00:00:00\n`,
    )
    await log(
      '2024-09-14',
      Buffer.concat([
        Buffer.from(rows('2024-09-14', plain)),
        Buffer.from('\xff\xfe,READ,2024-09-14 00:00:00\n', 'latin1'),
      ]),
    )
    await log('2024-09-15', `${rows('2024-09-15', plain)}\nbad line\nx,READ,2024-09-15 24:00:00\n`)
    const late = timed('late', '2024-09-15 23:59:59') + timed('later', '2023-12-31 00:00:00')
    await log(
      '2024-09-16',
      `email,action,timestamp\n${rows('2024-09-16', plain)}${late}last,DELETE,2024-09-16 23:59:59`,
    )
    await both({})
    expect(await entries('cache-b')).toEqual(await entries('cache-a'))
    expect(await countedBySpark('cache-b')).toEqual(['2024-09-10', '2024-09-16'])
    // Warm: nothing is counted, and Spark is not asked.
    const unreachable = { ...spark, remote: { ...spark.remote, port: 9 } }
    const warm = await bench.run({ input, output: 'b', cache: 'cache-b', spark: unreachable })
    expect(warm).toMatchObject({ cachedDays: 7, scannedDays: 0 })
  }, 180_000)

  it("take one another's days from the cache", async () => {
    for (const cache of ['cache-a', 'cache-b']) await bench.forget(`${cache}/windows`)
    // Each merges what the other has counted, and one day that it counts itself.
    await log('2024-09-15', rows('2024-09-15', [...plain, 'new']))
    const bySpark = await bench.run({ input, output: 'c', cache: 'cache-a', spark })
    const embedded = await bench.run({ input, output: 'd', cache: 'cache-b' })
    expect(bySpark).toMatchObject({ cachedDays: 6, scannedDays: 1 })
    expect(told(embedded)).toEqual(told(bySpark))
    expect(await filesOf('c')).toEqual(await filesOf('d'))
    expect(await countedBySpark('cache-a')).toEqual(['2024-09-15'])
  }, 120_000)

  it('are alike over windows with empty and missing days, and when logs change', async () => {
    await log('2024-09-17', '')
    await log('2024-09-19', rows('2024-09-19', plain))
    const asked = { from: '2024-09-18', to: '2024-09-19', length: 3, missingDays: 'warn' } as const
    expect(await both(asked)).toMatchObject({ missingDays: ['2024-09-18'], files: 2 })
    await log('2024-09-19', rows('2024-09-19', ['another']))
    expect(await both({ date: '2024-09-17', length: 1, refresh: true })).toMatchObject({
      refreshed: ['2024-09-16', '2024-09-19'],
    })
  }, 180_000)

  it('a path that leads Spark to another copy of a log costs time, not a wrong number', async () => {
    const days = ['2024-11-01', '2024-11-02']
    for (const day of days) await bench.write(`logs/${day}.csv`, rows(day, plain))
    // Of the same size, each line a plain row.
    await bench.write(`copies/${days[0]!}.csv`, rows(days[0]!, plain))
    await bench.write(`copies/${days[1]!}.csv`, rows(days[1]!, plain).replaceAll('a', 'b'))
    const toSpark = parsePathMap(`${bench.folder}/logs=${bench.folder}/copies`)
    const asked = { input: 'logs', date: days[1]!, length: 2 }
    const embedded = await bench.run({ ...asked, output: 'f', cache: 'cache-f' })
    const outcome = await bench.run({ ...asked, output: 'g', cache: 'cache-g', spark: { ...spark, toSpark } })
    expect(told(outcome)).toEqual(told(embedded))
    expect(await filesOf('g')).toEqual(await filesOf('f'))
    expect(await countedBySpark('cache-g')).toEqual([days[0]])
  }, 120_000)

  it('a day that is stopped publishes nothing and leaves nothing', async () => {
    await log('2024-10-01', rows('2024-10-01', plain))
    const stop = new AbortController()
    const stopped = bench.run({
      input,
      output: 'e',
      cache: 'cache-e',
      date: '2024-10-01',
      spark,
      signal: stop.signal,
    })
    setTimeout(() => {
      stop.abort(new Error('stopped'))
    }, 300)
    await expect(stopped).rejects.toThrow('stopped')
    expect([
      ...(await bench.files('e')),
      ...(await bench.files('cache-e')),
      ...(await bench.files('scratch')),
    ]).toEqual([])
  }, 60_000)
})

describe('what Spark takes for a row', () => {
  const day = '2024-02-29'
  const time = `${day} 12:00:00`
  const taken = [
    timed('a', time, 'CREATE'),
    timed('\u{1F600} x', `${day} 23:59:59`),
    timed('b', `${day} 00:00:00`, 'DELETE'),
    ...['2024-02-28', '2023-01-31', '0001-01-01', '2024-04-30', '9999-12-31'].map((other) =>
      timed('c', `${other} 19:09:00`, 'UPDATE'),
    ),
    timed('x'.repeat(5000), time),
  ]
  // Those that the scanner takes are left to it by Spark, never the other way round.
  const leftToScanner = [timed('a', '2020-02-29 12:00:00')]
  const refused = [
    ...[
      '2023-02-29',
      '2024-04-31',
      '2024-13-01',
      '2024-00-10',
      '0000-01-01',
      '2024-01-00',
      '2024-1-1 ',
      '２024-01-01',
    ].map((other) => timed('a', `${other} 12:00:00`)),
    ...[
      '24:00:00',
      '12:60:00',
      '12:00:60',
      '1:00:00',
      '12:00:00 ',
      '12:00:00Z',
      '12:00:00.5',
      '12:00',
      '12:00:0x',
      '12:00:é',
      '12:0é:00',
    ].map((other) => timed('a', `${day} ${other}`)),
    timed('a', `${day}T12:00:00`),
    timed('a', time, 'read'),
    timed('a', time, 'READ '),
    timed('a', time, ''),
    timed('', time),
    `a,READ,${time},\n`,
    `a,READ,x,${time}\n`,
    `,a,READ,${time}\n`,
    `a,READ\n`,
    'a\n',
    '\n',
    ' \n',
    `a;READ;${time}\n`,
  ]
  const odd = ['a"', '"a"', '\uFFFD', '\uFEFFb', 'a\r', 'a\0']
    .map((email) => timed(email, time))
    .concat(timed('a', `${time}\r`))
    .map((line) => Buffer.from(line))
  const invalid = ['\xff', '\xc0\x80', '\xed\xa0\x80', '\xe2\x82', '\xf4\x90\x80\x80'].map((email) =>
    Buffer.concat([Buffer.from(email, 'latin1'), Buffer.from(`,READ,${time}\n`)]),
  )

  const scanned = (line: Uint8Array): number => {
    const scanner = createLogScanner(day, createEmailTable().taker(day), () => undefined)
    scanner.push(line)
    return scanner.end().rows
  }

  it('is what the scanner takes, or less', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakejobs-spark-'))
    const session = await openSession({ ...spark, signal: new AbortController().signal })
    const cleanIn = async (name: string, lines: readonly (string | Buffer)[]): Promise<number> => {
      const path = join(folder, name)
      await writeFile(path, Buffer.concat(lines.map((line) => Buffer.from(line))))
      const observed = await session.run(countDay(day, `file://${path}`, `file://${folder}/out-${name}`))
      const counts = observed.get(`counts of ${day}`)!
      const sum = ['creates', 'reads', 'updates', 'deletes'].reduce((all, name) => all + counts[name]!, 0)
      expect(observed.get(`lines of ${day}`)?.['others']).toBe(lines.length - sum)
      return sum
    }
    const suspicionOf = async (line: Uint8Array): Promise<string> => {
      const path = join(folder, 'odd.csv')
      await writeFile(path, Buffer.concat([Buffer.from(taken[0]!), line, Buffer.from(taken[0]!)]))
      const looked = await firstLook(localFileIO(), `file://${path}`, new AbortController().signal)
      return typeof looked === 'string' ? looked : 'none'
    }
    try {
      for (const line of taken)
        expect([line.slice(0, 40), scanned(Buffer.from(line))]).toEqual([line.slice(0, 40), 1])
      for (const line of refused) expect([line, scanned(Buffer.from(line))]).toEqual([line, 0])
      expect(await cleanIn('taken.csv', taken)).toBe(taken.length)
      // One that is taken: of no row at all Spark observes nothing.
      expect(await cleanIn('not.csv', [taken[0]!, ...leftToScanner, ...refused])).toBe(1)
      // What Spark may take is never asked for: the bytes were seen before.
      for (const line of odd) expect(await suspicionOf(line)).toMatch(/^it holds a/)
      for (const line of invalid) expect(await suspicionOf(line)).toBe('it is not UTF-8')
    } finally {
      await session.close()
      await rm(folder, { recursive: true })
    }
  }, 120_000)
})
