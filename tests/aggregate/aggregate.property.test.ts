import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createBench, type Bench } from './job.ts'

const days = [10, 11, 12, 13, 14, 15, 16].map((day) => `2024-09-${day}`)

/** Fields as the grammar's tests prove them (log/): here, whether days, caches and threads add up. */
function oracle(files: readonly (string | undefined)[]): string {
  const counts = new Map<string, number[]>()
  for (const line of files.flatMap((file) => file?.replace(/^\uFEFF/, '').split(/\r?\n/) ?? [])) {
    const [, email, action] =
      /^([^,"\0]+),(CREATE|READ|UPDATE|DELETE),2024-09-1\d 0[0-9]:00:00$/.exec(line) ?? []
    if (email === undefined || action === undefined) continue
    if (!counts.has(email)) counts.set(email, [0, 0, 0, 0])
    counts.get(email)![['CREATE', 'READ', 'UPDATE', 'DELETE'].indexOf(action)]!++
  }
  const rows = [...counts].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return [
    'email,create_count,read_count,update_count,delete_count',
    ...rows.map((row) => row.join()),
    '',
  ].join('\n')
}

const line = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom('a', 'b@x', 'B', 'é', '\u{1F600}', '\uFFEE', '\uFEFFa', ' a', 'aa'),
        fc.constantFrom('CREATE', 'READ', 'UPDATE', 'DELETE', 'PURGE'),
        fc.constantFrom('2024-09-10 01:00:00', '2024-09-16 09:00:00', '2024-09-16 9:00:00'),
      )
      .map((fields) => fields.join()),
  },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', 'a,READ', 'x"', '\0,READ,2024-09-10 00:00:00') },
)
const file = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(
    ([lines, end, closed]) =>
      lines.map((text) => text + end).join('') + (closed ? '' : 'z,READ,2024-09-10 00:00:00'),
  )
const week = fc
  .array(fc.option(file, { nil: undefined, freq: 6 }), { minLength: 7, maxLength: 7 })
  .filter((files) => files.some((content) => content !== undefined))

describe('aggregate, for any week', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
  })
  afterEach(() => bench.remove())

  const cached = async (pattern: RegExp): Promise<string[]> =>
    (await bench.files('cache'))
      .filter((name) => pattern.test(name))
      .map((name) => join(bench.folder, 'cache', name))
  const remove = async (paths: readonly string[]): Promise<void> => {
    await Promise.all(paths.map((path) => rm(path)))
  }
  /** Cuts or changes a file, whatever it is. */
  const damage = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      const bytes = await readFile(path)
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
      await writeFile(path, path.includes('.parquet') ? bytes : bytes.subarray(0, bytes.length >> 1))
    }
  }

  /** Each leaves the cache as an accident could; the first is none at all. */
  const states: readonly (readonly [string, () => Promise<void>])[] = [
    ['cold', () => rm(join(bench.folder, 'cache'), { recursive: true, force: true })],
    ['warm', () => Promise.resolve()],
    ['without its windows', () => rm(join(bench.folder, 'cache/windows'), { recursive: true })],
    [
      'without one day',
      async () => {
        await rm(join(bench.folder, 'cache/windows'), { recursive: true })
        const [entry] = await cached(/^2024.*json$/)
        await remove([entry!])
      },
    ],
    ['with a damaged window', async () => damage(await cached(/^windows.*csv$/))],
    [
      'with damaged windows and entries',
      async () => {
        await damage(await cached(/^windows.*json$/))
        await damage((await cached(/^2024.*json$/)).slice(0, 3))
      },
    ],
    [
      'with damaged counts',
      async () => {
        await rm(join(bench.folder, 'cache/windows'), { recursive: true })
        await damage((await cached(/parquet$/)).slice(0, 2))
      },
    ],
    [
      'without counts',
      async () => {
        await rm(join(bench.folder, 'cache/windows'), { recursive: true })
        await remove(await cached(/parquet$/))
      },
    ],
  ]

  it.each(['.csv', '.csv.gz'])(
    'is what the oracle counts, the same bytes for every number of threads and state of the cache (%s)',
    async (ending) => {
      await fc.assert(
        fc.asyncProperty(
          week,
          fc.constantFrom(1, 2, 4),
          fc.constantFrom(0, 10_000),
          async (files, threads, later) => {
            await rm(join(bench.folder, 'input'), { recursive: true })
            await rm(join(bench.folder, 'cache'), { recursive: true, force: true })
            for (const [index, day] of days.entries()) {
              const content = files[index]
              if (content === undefined) continue
              await bench.log(`${day}${ending}`, ending === '.csv' ? content : gzipSync(content))
            }
            const expected = oracle(files)
            for (const [name, prepare] of states) {
              await prepare()
              await rm(join(bench.folder, 'output'), { recursive: true, force: true })
              await bench.run({ threads, later })
              const result = await bench.read('output/2024-09-16.csv')
              if (result !== expected)
                throw new Error(`cache ${name}: expected\n${expected}but got\n${result}`)
            }
            expect((await bench.files('.')).filter((path) => path.includes('.tmp'))).toEqual([])
          },
        ),
        { numRuns: 3 },
      )
    },
    60_000,
  )
})
