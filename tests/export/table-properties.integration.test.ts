import { readFile } from 'node:fs/promises'
import { expect, it } from '@jest/globals'
import { parquetMetadata } from 'hyparquet'
import thrift from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js'
import { decodeThrift } from '@dsnp/parquetjs/dist/lib/util.js'
import { canonicalLocation } from '../../jobs/storage/place.ts'
import { eachWithLake } from './each-with-lake.ts'
import { dataFilesOf, load, queryTable, runExport } from './lake.ts'

// Values that are all different, that repeat in 20, and that repeat in 500 of 24 bytes each.
const { server, lake } = eachWithLake(`
    CREATE TABLE t (id bigint NOT NULL, word text, key text);
    INSERT INTO t SELECT i * 7919, 'word ' || i % 20, lpad((i % 500)::text, 20, '-') FROM generate_series(1, 3000) i;
    ANALYZE t`)

interface Page {
  readonly isDictionary: boolean
  readonly bytes: number
  readonly rows: number
}

/** The pages of each column of the table's only file, by their headers as parquetjs reads them. */
async function pagesOf(): Promise<Record<string, Page[]>> {
  const [file] = await dataFilesOf(await load(lake))
  const bytes = await readFile(canonicalLocation(file!.filePath).slice('file://'.length))
  const { row_groups: groups } = parquetMetadata(new Uint8Array(bytes).buffer)
  const pages: Record<string, Page[]> = {}
  for (const { meta_data: chunk } of groups[0]!.columns) {
    let at = Number(chunk!.dictionary_page_offset ?? chunk!.data_page_offset)
    const end = at + Number(chunk!.total_compressed_size)
    const found: Page[] = []
    while (at < end) {
      const header = new thrift.PageHeader()
      at += decodeThrift(header, bytes, at) + header.compressed_page_size
      found.push({
        isDictionary: header.type === thrift.PageType.DICTIONARY_PAGE,
        bytes: header.uncompressed_page_size,
        rows: header.data_page_header?.num_values ?? 0,
      })
    }
    pages[chunk!.path_in_schema[0]!] = found
  }
  return pages
}

const dataPages = (pages: readonly Page[] = []): readonly Page[] => pages.filter((page) => !page.isDictionary)
const dictionaries = (pages: readonly Page[] = []): number[] =>
  pages.filter((page) => page.isDictionary).map(({ bytes }) => bytes)

it('honours the limits of pages and dictionaries, and says that bloom filters are not written', async () => {
  const tables = ['public.t']
  await runExport(server, lake, { tables })
  const before = await pagesOf()
  expect(Object.values(before).map((pages) => dataPages(pages).length)).toEqual([1, 1, 1])
  expect(dictionaries(before['key'])).toEqual([500 * 24])

  const { identifier } = await load(lake)
  const updates = {
    'write.parquet.page-size-bytes': '1600',
    'write.parquet.page-row-limit': '300',
    'write.parquet.dict-size-bytes': '4000',
    'write.parquet.bloom-filter-enabled.column.id': 'true',
    'write.parquet.bloom-filter-enabled.column.word': 'false',
    'write.parquet.bloom-filter-enabled.column.key': 'TRUE',
  }
  await lake.catalog.commit(identifier, [], [{ action: 'set-properties', updates }])
  const lines: string[] = []
  await runExport(server, lake, { tables, onLog: (line) => lines.push(line) })
  const after = await pagesOf()
  // By bytes: 200 of 8; by rows; by bytes again, as the dictionary would be too large.
  expect(dataPages(after['id'])).toHaveLength(15)
  expect(dataPages(after['word']).map(({ rows }) => rows)).toEqual(Array<number>(10).fill(300))
  expect(dictionaries(after['word'])).toHaveLength(1)
  expect(dictionaries(after['key'])).toEqual([])
  for (const { bytes } of dataPages([...after['id']!, ...after['key']!])) {
    expect(bytes).toBeLessThanOrEqual(1600 + levels)
  }
  expect(
    await queryTable(await load(lake), 'SELECT count(*), sum(id), count(DISTINCT key) FROM FILES'),
  ).toEqual([['3000', String((7919 * 3000 * 3001) / 2), '500']])
  const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(said.filter(({ msg }) => String(msg).includes('bloom'))).toEqual([
    expect.objectContaining({
      level: 30,
      table: 'default.t',
      msg: 'the table asks for bloom filters (write.parquet.bloom-filter-enabled.column.*), which are not written: id, key',
    }),
  ])
})

/** Definition levels: where no value is NULL, one run of at most a few bytes and its length. */
const levels = 8
