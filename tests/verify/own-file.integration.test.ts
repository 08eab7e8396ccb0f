import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JobError } from '../../jobs/errors.ts'
import { lakeEngine, type LakeEngine } from '../../jobs/lake/engine.ts'
import { readRawFooter } from '../../jobs/lake/footer/footer.ts'
import { flatFields, type RowSource } from '../../jobs/lake/read-rows.ts'
import { plainText } from '../../jobs/verify/columns/value-text.ts'
import { scalar } from '../../jobs/iceberg/schema/types.ts'
import { fieldsOf, readLake, type LakeRows } from '../../jobs/verify/lake-rows.ts'
import { groupHasher } from '../../jobs/verify/pages/group-threads.ts'
import { prepareTable } from '../../jobs/verify/prepare-table.ts'
import type { Prepared } from '../../jobs/verify/prepared.ts'
import { createRandom } from '../../jobs/random.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { dataFilesOf, load, runExport, type Flags } from '../export/lake.ts'

/** Of each type: with few values and with many, without NULL, with some, with runs of them, and nothing else. */
const { server, lake } = eachWithLake(`
    CREATE TABLE t (
      id bigint PRIMARY KEY, small int NOT NULL, one smallint, big bigint, none int, flag boolean, r real, d double precision,
      day date, clock time, at timestamp, moment timestamptz, short text, long text, empty text, raw bytea, key uuid, few uuid,
      n4 numeric(4,1), n12 numeric(12,2), n30 numeric(30,10), n30few numeric(30,10), skewed text);
    INSERT INTO t SELECT
      i, i % 7, 1, CASE WHEN i % 5 > 0 THEN (i::bigint * 7919) ^ (i % 3) END, NULL, CASE WHEN i % 3 > 0 THEN i % 2 = 0 END,
      CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN 'Infinity' ELSE i / 3.0 END::real,
      CASE i % 11 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 3 THEN NULL ELSE i / 7.0 END::float8,
      date '1960-01-01' + i % 30000, time '00:00' + i * interval '1 second', timestamp '1950-01-01' + i * interval '7 hours',
      timestamptz '2024-09-01 00:00:00+00' + i % 2 * interval '1 day' + i * interval '1 microsecond',
      CASE WHEN i / 1000 % 2 = 0 THEN left('abcdefghij', i % 11) END, repeat(md5(i::text), 1 + i % 12), '',
      decode(md5(i::text), 'hex'), md5(i::text)::uuid, md5((i % 9)::text)::uuid,
      -i % 999 / 10.0, i % 100 / 100.0 - 50, i * 123456789012345.0, CASE WHEN i % 4 > 0 THEN i % 6 - 3 END,
      CASE WHEN i % 20000 < 15000 THEN repeat('few', 25) || i % 500 ELSE repeat(md5(i::text), 8) END
      FROM generate_series(1, 70000) i;
    ANALYZE t;
    -- Estimated to be small: it is exported in this thread.
    UPDATE pg_class SET reltuples = 10 WHERE relname = 't'`)

const { signal } = new AbortController()
let [folder, engine] = ['', undefined as LakeEngine | undefined]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'own-file-'))
  engine = lakeEngine({ threads: 1, memoryLimit: 2 ** 28, scratch: folder, signal })
})
afterEach(async () => {
  engine?.close()
  await rm(folder, { recursive: true })
})

/** What would open DuckDB ends the test. */
const noEngine: LakeEngine = {
  take: () => Promise.reject(new Error('DuckDB is asked')),
  drop: () => Promise.resolve(),
  stream: () => {
    throw new Error('DuckDB is asked')
  },
  close: () => undefined,
}

const sourceOf = ({ table, snapshot }: Prepared, by: LakeEngine): RowSource => ({
  ...{ table, snapshot, engine: by, scratch: folder, maxDownload: 2 ** 30, signal },
})

async function exported(flags: Flags = {}): Promise<Prepared> {
  await runExport(server, lake, flags)
  return prepareTable(await load(lake), undefined, { days: undefined })
}

const read = (prepared: Prepared, by: LakeEngine, quickly: boolean): Promise<LakeRows> =>
  readLake(sourceOf(prepared, by), prepared.files, prepared.lists, prepared.known.day, () => undefined, {
    hasher: quickly ? groupHasher(signal, 1) : undefined,
  })

/** Of each interval what its rows are, in words: a wide decimal's bytes are fewer in our own pages. */
function told(prepared: Prepared, { units, faults }: LakeRows): unknown {
  const source = sourceOf(prepared, noEngine)
  const fields = flatFields(source, fieldsOf(source, prepared.lists[0]!))
  const intervals = [...units].map(([name, { rows, fingerprints, columns }]) => {
    const all = columns.map(({ nulls, bounds, sum }, at) => {
      const text = (bytes: Uint8Array): string => plainText(scalar(fields[at]!.type), bytes)
      return [fields[at]!.name, nulls, bounds && [text(bounds.min), text(bounds.max)], String(sum)]
    })
    return { name, rows, fingerprints, all }
  })
  return { intervals: intervals.sort((a, b) => a.name.localeCompare(b.name)), faults }
}

const shapes: [string, Flags][] = [
  ['whole, in Snappy', {}],
  ['by day', { partitionBy: ['day(moment)'] }],
]

it.each(shapes)('rows of every type are what DuckDB reads, %s', async (_, flags) => {
  const prepared = await exported(flags)
  const own = told(prepared, await read(prepared, noEngine, true))
  expect(own).toEqual(told(prepared, await read(prepared, engine!, false)))
  expect(own).toMatchObject({ faults: [] })
})

it('several row groups, with dictionaries that the pages behind them outgrow', async () => {
  const prepared = await exported()
  const [file] = prepared.files
  const { parsed } = await readRawFooter(prepared.table.io, file!.file)
  expect(parsed.row_groups.length).toBeGreaterThan(1)
  const encodings = parsed.row_groups.flatMap(({ columns }) =>
    columns.map(({ meta_data: data }) => data?.encoding_stats?.map(({ encoding }) => encoding).join()),
  )
  expect(new Set(encodings)).toEqual(new Set(['PLAIN', 'PLAIN,RLE_DICTIONARY', 'PLAIN,RLE_DICTIONARY,PLAIN']))
})

it('a byte that changes is found, wherever DuckDB finds it', async () => {
  await server.query('DELETE FROM t WHERE id > 2000')
  const prepared = await exported()
  const path = (await dataFilesOf(await load(lake)))[0]!.filePath.replace('file://', '')
  const bytes = readFileSync(path)
  const truth = JSON.stringify(told(prepared, await read(prepared, engine!, false)))
  const resultOf = async (quickly: boolean): Promise<string> => {
    try {
      return JSON.stringify(told(prepared, await read(prepared, engine!, quickly)))
    } catch (error) {
      if (error instanceof JobError) return error.message
      throw error
    }
  }
  const { below } = createRandom(7, 'flips')
  const missed: number[] = []
  let harmless = 0
  for (let flip = 0; flip < 400; flip++) {
    const at = below(bytes.length)
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1 << below(8)
    writeFileSync(path, flipped)
    if ((await resultOf(true)) !== truth) continue
    harmless++
    if ((await resultOf(false)) !== truth) missed.push(at)
  }
  writeFileSync(path, bytes)
  expect(missed).toEqual([])
  expect(harmless).toBeLessThan(40)
}, 120_000)

it('of a store that sends other bytes than were asked for DuckDB reads whole files', async () => {
  const prepared = await exported()
  const truth = told(prepared, await read(prepared, engine!, false))
  const { io } = prepared.table
  const sizes = new Set(prepared.files.map(({ file }) => file.fileSizeInBytes))
  let spoiled = 0
  const stream: typeof io.stream = async (location, range) => {
    const isWhole = range === undefined || sizes.has(range.end - range.start)
    if (isWhole || range.end - range.start < 2 ** 19) return io.stream(location, range)
    spoiled++
    return io.stream(location, { ...range, end: range.end + 1 })
  }
  const table = { ...prepared.table, io: { ...io, stream, localPath: () => undefined } }
  const found = await read({ ...prepared, table }, engine!, true)
  expect(spoiled).toBeGreaterThan(0)
  expect(told(prepared, found)).toEqual(truth)
})
