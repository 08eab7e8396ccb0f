import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readReplacedFile } from '../../../jobs/export/write/replaced-file.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { ensureBucket, s3FileIO } from '../../../jobs/storage/s3/s3.ts'
import type { TableSummary } from '../../../jobs/summary.ts'
import { startMinio, type Minio } from '../../support/minio.ts'
import { eachWithLake } from '../each-with-lake.ts'
import { runExport, type Flags } from '../lake.ts'

// Ten days of 10 rows each: more than the files that are open at once.
const { server, lake } = eachWithLake(`
    CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-01 00:00:00+00' + i % 10 * interval '1 day' AS at
      FROM generate_series(1, 100) i;
    CREATE TABLE u AS SELECT * FROM t; ANALYZE t; ANALYZE u`)

let minio: Minio
let store: FileIO
beforeAll(async () => {
  minio = await startMinio()
  const settings = { ...minio, region: 'us-east-1' }
  await ensureBucket('s3://lake', { ...settings, createBucket: true })
  store = s3FileIO(settings)
}, 300_000)
afterAll(() => minio.stop())

/** The store as it is for a run, behind each of whose first `times` looks at a file `other` happens. */
function overtaken(times: number, other: () => Promise<unknown>): FileIO {
  let left = times
  return {
    ...store,
    create: async (location, options) => {
      const file = await store.create(location, options)
      return {
        ...file,
        close: (look) =>
          file.close(
            look &&
              (async () => {
                const seen = await look()
                if (left-- > 0) await other()
                return seen
              }),
          ),
      }
    },
  }
}

describe.each<[string, Flags, (folder: string) => string]>([
  ['a whole table', {}, (folder) => `${folder}/t/t.parquet`],
  [
    'ten days',
    { scope: { mode: 'day', from: '2024-09-01', to: '2024-09-10' } },
    (folder) => `${folder}/t_by_day/at_day=2024-09-01/t.parquet`,
  ],
])('two exports of %s to one place', (name, scope, fileIn) => {
  let places = 0
  const start = (): { folder: string; run: (flags?: Flags) => Promise<TableSummary> } => {
    const folder = `s3://lake/${name.replaceAll(' ', '-')}-${++places}`
    const own: Flags = { ...scope, formats: ['parquet'], parquetLocation: folder, parquetIO: store }
    return {
      folder,
      run: async (flags) => (await runExport(server, lake, { ...own, ...flags })).tables![0]!,
    }
  }
  const runOf = async (folder: string): Promise<string | undefined> =>
    (await readReplacedFile(store, fileIn(folder)))?.entries['lakejobs.source-snapshot-time']

  it.each([false, true])(
    'the later read stays, though it comes behind the look (a file before: %s)',
    async (full) => {
      const { folder, run } = start()
      if (full) await run()
      let later: string | undefined
      const parquetIO = overtaken(1, async () => {
        expect(await run()).toMatchObject({ status: 'ok' })
        later = await runOf(folder)
      })
      expect(await run({ parquetIO })).toMatchObject({ status: 'superseded', files: 0 })
      expect(later).toBeDefined()
      expect(await runOf(folder)).toBe(later)
    },
  )

  it('what says nothing of its read is looked at again and replaced', async () => {
    const { folder, run } = start()
    const parquetIO = overtaken(2, () => store.write(fileIn(folder), Buffer.from('another program’s')))
    expect(await run({ parquetIO })).toMatchObject({ status: 'ok', rows: 100 })
    expect(await runOf(folder)).toBeDefined()
  })

  it('others that come first again and again are exit 4, and keep their file', async () => {
    const { folder, run } = start()
    let times = 0
    const parquetIO = overtaken(99, () => store.write(fileIn(folder), Buffer.from(`other ${++times}`)))
    await expect(run({ parquetIO })).rejects.toMatchObject({
      code: 'conflict',
      message: `others keep replacing ${fileIn(folder)}`,
      fix: expect.stringContaining('run again') as unknown,
    })
    expect((await store.read(fileIn(folder))).toString()).toBe(`other ${times}`)
  })
})
