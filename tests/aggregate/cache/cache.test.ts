import { readFileSync, readlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { copyFile, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { openCache } from '../../../jobs/aggregate/cache/cache.ts'
import { dayEntryName, entryText, parseDayEntry } from '../../../jobs/aggregate/cache/entry.ts'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import { createBench, type Bench } from '../job.ts'

const day = '2024-09-16'
const row = (email: string): string => `${email},READ,${day} 00:00:00\n`
/** Old enough to be known by its inode. */
const later = 10_000

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.remove())
const result = (date = day): Promise<string> => bench.read(`output/${date}.csv`)
const path = (name: string): string => join(bench.folder, name)
const named = async (pattern: RegExp): Promise<string> => {
  const [name, more] = (await bench.files('cache')).filter((file) => pattern.test(file))
  if (name === undefined || more !== undefined) throw new Error(`not one ${pattern.source}`)
  return `cache/${name}`
}

describe('the cache', () => {
  it('does not know a log by size and mtime alone', async () => {
    const old = new Date('2024-09-17T00:00:00Z')
    await bench.log(`${day}.csv`, row('a'))
    await utimes(path(`input/${day}.csv`), old, old)
    await bench.run({ later })
    await bench.log(`${day}.csv`, row('b'))
    await utimes(path(`input/${day}.csv`), old, old)
    expect(await bench.run({ later })).toMatchObject({ scannedDays: 1 })
    expect(await result()).toContain('\nb,')
  })

  /** The clock of the file system may not have moved between a change and the reading: only a settled ctime is trusted. */
  it.each([
    ['reads a settled log no more', later, {}, 'a'],
    ['hashes one that changed less than 2 s before', 0, {}, 'b'],
    ['hashes every one with --verify-cache', later, { verifyCache: true }, 'b'],
  ])('%s', async (_, age, options, expected) => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.run({ later: age })
    // What a change within one tick looks like: the entry names the changed file.
    await bench.log(`${day}.csv`, row('b'))
    const inode = await stat(path(`input/${day}.csv`), { bigint: true })
    const entry = await named(/^2024.*json$/)
    const known = parseDayEntry(await bench.read(entry))!
    const identity = [inode.dev, inode.ino, inode.size, inode.mtimeNs, inode.ctimeNs].join('-')
    await bench.write(entry, entryText({ ...known, source: { ...known.source, identity } }))
    await bench.run({ later: age, ...options })
    expect(await result()).toContain(`\n${expected},`)
  })

  it('has the log that was counted last as the newest, also where it knew that log by its inode', async () => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.write(`other/${day}.csv`, row('b') + row('c'))
    await bench.run({ later })
    await bench.run({ later, input: 'other', output: 'output-of-other' })
    expect(await bench.run({ later })).toMatchObject({ cachedDays: 1 })
    const { signal } = new AbortController()
    const cache = openCache(localFileIO(), `file://${path('cache')}`, {
      logger: pino({ level: 'silent' }),
      signal,
    })
    const [newest] = await cache.entriesOf(day)
    expect(newest).toMatchObject({ emails: 1 })
  })

  it('knows the content again when only the times changed, and remembers the times', async () => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.run()
    await copyFile(path(`input/${day}.csv`), path('input/copy'))
    await rename(path('input/copy'), path(`input/${day}.csv`))
    expect(await bench.run({ later })).toMatchObject({ cachedDays: 1 })
    const inode = await stat(path(`input/${day}.csv`), { bigint: true })
    const entry = JSON.parse(await bench.read(await named(/^2024.*json$/))) as {
      entry: { source: { identity: string } }
    }
    expect(entry.entry.source.identity).toContain(`-${inode.ino}-`)
  })

  it.each(['beside it', 'on another disk'])('has what was counted in a folder %s', async (place) => {
    const scratch =
      place === 'beside it' ? path('scratch') : await mkdtemp(join(tmpdir(), 'lakejobs-scratch-'))
    try {
      await bench.log(`${day}.csv`, row('a'))
      await bench.run({ scratch })
      const { counts } = parseDayEntry(await bench.read(await named(/^2024.*json$/)))!
      const bytes = await readFile(path(`cache/${counts.name}`))
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      expect(counts).toMatchObject({ size: bytes.length, sha256 })
      expect(await readdir(scratch)).toEqual([])
      expect(await bench.run({ scratch, later })).toMatchObject({ cachedDays: 1, scannedDays: 0 })
    } finally {
      if (place !== 'beside it') await rm(scratch, { recursive: true })
    }
  })

  it('moves a file that is on its disk', async () => {
    const settings = { logger: pino({ level: 'silent' }), signal: new AbortController().signal }
    const cache = openCache(localFileIO(), `file://${path('cache')}`, settings)
    await bench.write('counted', 'x')
    const { ino } = await stat(path('counted'))
    const kept = await cache.keepFile(`${day}/x.json`, 'parquet', {
      path: path('counted'),
      size: 1,
      sha256: 'y',
    })
    expect(kept).toMatchObject({ size: 1, sha256: 'y' })
    expect((await stat(cache.localPath(kept)!)).ino).toBe(ino)
  })

  it.each([false, true])(
    'counts a log anew that is read otherwise by another name (--verify-cache %s)',
    async (verifyCache) => {
      const zipped = gzipSync(row('a') + row('b'))
      await bench.log(`${day}.csv`, zipped)
      await bench.run({ later })
      expect(await result()).not.toContain('a,')
      await rename(path(`input/${day}.csv`), path(`input/${day}.csv.gz`))
      expect(await bench.run({ later, verifyCache })).toMatchObject({ scannedDays: 1, rows: 2, rejects: 0 })
      const right = await result()
      expect(right).toContain('\na,0,1,0,0\nb,0,1,0,0\n')
      expect(await bench.run({ later, verifyCache })).toMatchObject({ cachedDays: 1, rows: 2 })
      await rename(path(`input/${day}.csv.gz`), path(`input/${day}.csv`))
      expect(await bench.run({ later, verifyCache })).toMatchObject({ scannedDays: 1, rows: 0 })
      expect(await result()).not.toBe(right)
      expect(bench.warnings).toEqual([])
    },
  )

  it('believes no entry of a gzip log from before its key told so, and keeps those of plain logs', async () => {
    const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
    const plain = row('p').replace(day, '2024-09-15')
    await bench.log('2024-09-15.csv', plain)
    const zipped = gzipSync(row('a'))
    await bench.log(`${day}.csv.gz`, zipped)
    await bench.run({ later })
    const right = await result()
    const entry = await named(/^2024-09-16.*json$/)
    const known = parseDayEntry(await bench.read(entry))!
    const totals = { ...known.totals, rows: 0 }
    await bench.write(entry, entryText({ ...known, key: sha256Of(zipped), totals }))
    expect(await bench.run({ later })).toMatchObject({ cachedDays: 1, scannedDays: 1, rows: 2 })
    expect(await result()).toBe(right)
    expect(parseDayEntry(await bench.read(await named(/^2024-09-15.*json$/)))).toMatchObject({
      key: sha256Of(plain),
    })
  })

  it('keeps no file of an entry that could not be stored', async () => {
    const log = row('a') + 'bad\n'
    await bench.log(`${day}.csv`, log)
    const key = createHash('sha256').update(log).digest('hex')
    const inTheWay = `${dayEntryName(day, key)}/x`
    await bench.write(`cache/${inTheWay}`, '')
    await expect(bench.run()).rejects.toThrow('a folder is in the way')
    expect(await bench.files('cache')).toEqual([inTheWay])
  })

  it('serves another input folder by content', async () => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.write(`other/${day}.csv`, row('a'))
    await bench.run({ later })
    expect(await bench.run({ later, input: 'other' })).toMatchObject({ cachedDays: 1, scannedDays: 0 })
    await bench.write(`other/${day}.csv`, row('b'))
    expect(await bench.run({ later, input: 'other' })).toMatchObject({ scannedDays: 1 })
    expect(await result()).toContain('\nb,')
  })

  it('does not serve a window under the name of another', async () => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.run()
    const first = await named(/^windows.*json$/)
    const foreign = await bench.read(first)
    await bench.log(`${day}.csv`, row('b'))
    await bench.run()
    const second = (await bench.files('cache'))
      .map((name) => `cache/${name}`)
      .find((name) => /windows.*json$/.test(name) && name !== first)
    await bench.write(second!, foreign)
    await bench.run()
    expect(await result()).toContain('\nb,')
  })

  it.each([
    ['rejects', /^2024.*json$/, (text: string) => text.replace('"rejects": 11', '"rejects": 1')],
    ['the file', /^2024.*json$/, (text: string) => text.replace('.rejects"', '.rejectz"')],
    ['its checksum', /^2024.*json$/, (text: string) => text.replace(/"sha256": "../, '"sha256": "zz')],
  ])('believes no entry that was changed: %s', async (_, pattern, change) => {
    await bench.log(`${day}.csv`, row('a').repeat(20) + 'bad\n'.repeat(11))
    await bench.run()
    const name = await named(pattern)
    const text = await bench.read(name)
    expect(change(text)).not.toBe(text)
    await bench.write(name, change(text))
    await expect(bench.run({ later, maxRejects: undefined })).rejects.toThrow('11 rejected lines')
    expect(bench.warnings).toEqual(['cache entry is damaged or foreign: it is rebuilt'])
  })

  it('has no temporary files of runs that are gone, in any folder', async () => {
    await bench.log(`${day}.csv`, row('a'))
    // A pid that no process has: above the largest.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').replace(/[^0-9a-f]/g, '')
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
    const dead = `.lakejobs-${boot}-${namespace}-4194305-1-${'0'.repeat(16)}.tmp`
    const folders = [
      'cache/2024-09-01',
      'cache/windows',
      'cache',
      'output',
      'output/.lakejobs',
      'output/.lakejobs/rejects',
    ]
    for (const folder of folders) await bench.write(`${folder}/${dead}`, 'x')
    await bench.write(`cache/2024-09-01/other.tmp`, 'x')
    await bench.run()
    expect((await bench.files('.')).filter((name) => name.endsWith('.tmp'))).toEqual([
      'cache/2024-09-01/other.tmp',
    ])
    await bench.forget('cache/2024-09-01')
  })

  it.each([
    ['a window entry', /^windows.*json$/, '{'],
    ['a window of another version', /^windows.*json$/, '{"version":0}'],
    ['a window result', /^windows.*csv$/, 'email,foreign\n'],
    ['a day entry', /^2024.*json$/, 'foreign'],
    ['counts', /parquet$/, 'PAR1'],
  ])('rebuilds %s that is damaged or foreign, with a warning', async (_, pattern, content) => {
    await bench.log(`${day}.csv`, row('a'))
    await bench.run()
    const right = await result()
    await writeFile(path(await named(pattern)), content)
    if (pattern.source.includes('parquet')) await bench.log('2024-09-15.csv', '')
    await bench.run({ later })
    expect(await result()).toBe(right)
    expect(bench.warnings).toHaveLength(1)
    expect(bench.warnings[0]).toMatch(/rebuilt/)
    await bench.run({ later })
    expect(bench.warnings).toHaveLength(1)
  })
})

describe('a log that changes while the job runs', () => {
  it('is read again', async () => {
    await bench.log(`${day}.csv`, row('old'))
    let change: Promise<void> | undefined
    const whileReading = (): void => {
      change = bench.log(`${day}.csv`, row('newer'))
    }
    await bench.run({ whileReading })
    await change
    expect(await result()).toContain('\nnewer,0,1,0,0\n')
    // At once, before the counts of one content are stored under the hash of another.
    expect(bench.warnings).toEqual([
      'the log changed while it was read: reading it again',
      expect.any(String),
    ])
  })

  it('is looked for again when it arrives or goes', async () => {
    await bench.log('2024-09-15.csv', row('a'))
    let change: Promise<void> | undefined
    const whileReading = (): void => {
      change = bench.log(`${day}.csv`, row('late'))
    }
    const outcome = await bench.run({ whileReading })
    await change
    expect(outcome.missingDays).not.toContain(day)
    expect(await result()).toContain('late')
  })
})
