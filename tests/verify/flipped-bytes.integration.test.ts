import { expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { JobError } from '../../jobs/errors.ts'
import { readFooter } from '../../jobs/lake/footer/footer.ts'
import { lakeEngine } from '../../jobs/lake/engine.ts'
import { judge } from '../../jobs/verify/judge.ts'
import { flatFields } from '../../jobs/lake/read-rows.ts'
import { fieldsOf, readLake } from '../../jobs/verify/lake-rows.ts'
import { groupHasher } from '../../jobs/verify/pages/group-threads.ts'
import { prepareTable } from '../../jobs/verify/prepare-table.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { dataFilesOf, load, runExport } from '../export/lake.ts'

const rows = 6
const { server, lake } = eachWithLake(`
    CREATE TABLE t (id int NOT NULL, at timestamptz, url text);
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i * interval '1 second', NULLIF('/page/' || i % 3, '/page/0')
                  FROM generate_series(1, ${rows}) i;
    ANALYZE t`)

/** A feature that cannot be read ends the run: exit 3. */
const refused = (error: unknown): 'refused' => {
  if (error instanceof JobError && error.code === 'data') return 'refused'
  throw error
}

const columns = `1: {name: 'id', type: 'INTEGER', default_value: NULL},
  2: {name: 'time', type: 'TIMESTAMP WITH TIME ZONE', default_value: NULL},
  3: {name: 'url', type: 'VARCHAR', default_value: NULL}`

it.each([
  ['a file', {}],
  ['a file with page indexes', { 'write.parquet.page-row-limit': '4' }],
])(
  'each byte of %s: every flip is found, or changes no answer',
  async (_, updates) => {
    await runExport(server, lake)
    const { identifier } = await load(lake)
    await lake.catalog.commit(identifier, [], [{ action: 'set-properties', updates }])
    await runExport(server, lake)
    const table = await load(lake)
    const [file] = await dataFilesOf(table)
    const indexes = (await readFooter(localFileIO(), file!)).pageIndexes
    expect(indexes === undefined).toBe(Object.keys(updates).length === 0)
    const path = file!.filePath.replace('file://', '')
    const bytes = readFileSync(path)
    const folder = await mkdtemp(join(tmpdir(), 'flips-'))
    const { signal } = new AbortController()
    const engine = lakeEngine({ threads: 1, memoryLimit: 2 ** 28, scratch: folder, signal })
    const prepared = await prepareTable(table, undefined, { days: undefined })
    const { snapshot, known, within, lists, files } = prepared
    const source = { table: prepared.table, snapshot, engine, scratch: folder, maxDownload: 2 ** 30, signal }
    const fields = flatFields(source, fieldsOf(source, lists[0]!))
    const resultOf = async (quickly: boolean): Promise<string> => {
      const hasher = quickly ? groupHasher(signal, 1) : undefined
      const read = await readLake(source, files, lists, known.day, () => undefined, { hasher }).catch(refused)
      if (read === 'refused') return read
      const [interval, ...more] = judge({ known, within, lists, fields, lake: read, source: undefined })
      expect(more).toEqual([])
      return interval!.result
    }
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1',
      enable_external_file_cache: 'false',
    })
    const connection = await instance.connect()
    const scan = `SELECT id, epoch_us(time)::text, url FROM read_parquet('${path}', schema = MAP {${columns}})`
    /** By field id, as readers of tables do; whatever statistics an engine leaves rows out by, rows are found by their values. */
    const answers = async (): Promise<string> => {
      const all: unknown[] = []
      for (let id = 1; id <= rows; id++) {
        const reader = await connection.runAndReadAll(
          `${scan} WHERE id = ${id}
         UNION ALL ${scan} WHERE time = '2024-09-01 00:00:00Z'::timestamptz + interval '${id} seconds'
         UNION ALL ${scan} WHERE url IS NOT DISTINCT FROM NULLIF('/page/${id % 3}', '/page/0') ORDER BY ALL`,
        )
        all.push(reader.getRowsJson())
      }
      return JSON.stringify(all)
    }
    try {
      expect([await resultOf(true), await resultOf(false)]).toEqual(['match', 'match'])
      const truth = await answers()
      const harmful: string[] = []
      const found = { quickly: 0, byDuckDb: 0 }
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes)
        flipped[at]! ^= 1 << (at % 8)
        writeFileSync(path, flipped)
        const results = [await resultOf(true), await resultOf(false)]
        if (results[0] !== 'match') found.quickly++
        if (results[1] !== 'match') found.byDuckDb++
        // Not every engine looks at them, DuckDB not yet: each flip counts.
        const isIndex = indexes !== undefined && at >= indexes.start && at < indexes.end
        if (results.includes('match') && (isIndex || (await answers().catch(String)) !== truth))
          harmful.push(
            `${at} (${results.join()}): ${flipped.toString('latin1', Math.max(0, at - 10), at + 10)}`,
          )
      }
      expect(harmful).toEqual([])
      // Of the others most are names and settings that the export left in the footer.
      expect(found.byDuckDb).toBeGreaterThan(bytes.length / 2)
      // Where it is in doubt it leaves the file to DuckDB, so that it may miss what DuckDB finds, and never the other way round.
      expect(found.quickly).toBeLessThanOrEqual(found.byDuckDb)
    } finally {
      writeFileSync(path, bytes)
      engine.close()
      connection.closeSync()
      instance.closeSync()
      await rm(folder, { recursive: true })
    }
  },
  300_000,
)
