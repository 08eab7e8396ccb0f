import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach } from '@jest/globals'
import type { Catalog, Table } from '../../jobs/iceberg/catalog/catalog.ts'
import { memoryCatalog } from '../../jobs/iceberg/catalog/memory.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import type { TableUpdate } from '../../jobs/iceberg/metadata/updates.ts'
import { partitionSpec } from '../../jobs/iceberg/partition/partition-spec.ts'
import { parsePartitionExpression } from '../../jobs/iceberg/partition/transforms.ts'
import type { NestedField } from '../../jobs/iceberg/schema/types.ts'
import type { SnapshotRequest } from '../../jobs/iceberg/snapshot/snapshot-request.ts'
import { planRead, type ReadOptions } from '../../jobs/lake/read-plan.ts'
import { compactTable, type CompactOptions } from '../../jobs/maintain/compact/compact.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import type { Maintained } from '../../jobs/summary.ts'
import { commitTo, testEffects, webLogs, withFrozenTables, type Lake } from '../iceberg/tables.ts'
import { current } from '../support/current.ts'
import { memoryFolder } from '../support/memory-folder.ts'
import { jobContext } from './lake-with-files.ts'
import { openParquetFiles, type FieldIds } from './parquet-files.ts'

/** A table on disk whose data files are real Parquet, made by DuckDB, and what compaction does to it. */
export interface CompactLake {
  readonly lake: Lake
  readonly table: Table
  readonly folder: string
  /** A data file of the rows of a query, whose columns are those of the schema, by their ids. */
  file(sql: string, partition?: DataFile['partition'], ids?: FieldIds): Promise<DataFile>
  /** A file of position deletes. */
  deletes(rows: readonly (readonly [file: DataFile, position: number])[]): Promise<DataFile>
  commit(partial: Partial<SnapshotRequest>): Promise<void>
  /** One file a commit, as days that are written again and again leave them. */
  append(count: number, day?: number, from?: number): Promise<DataFile[]>
  update(...updates: TableUpdate[]): Promise<void>
  load(): Promise<void>
  compact(
    options?: Partial<CompactOptions>,
    more?: { dryRun?: boolean; catalog?: Catalog },
  ): Promise<Maintained>
  /** Of `main`, or a state of it, as JSON, sorted. */
  rows(options?: ReadOptions): Promise<string[]>
  /** The same of many rows. */
  digest(): Promise<string>
  live(): Promise<DataFile[]>
  /** Parquet files in the folder. */
  onDisk(): Promise<number>
}

/** A query for rows of one day since 1970, numbered. */
export const rowsFrom = (from: number, count = 3, day = 0): string =>
  `SELECT DATE '1970-01-01' + ${day} AS day, (${from} + i)::int AS n, 'row ' || i AS text FROM range(${count}) r(i)`

const optional = (id: number, name: string, type: string): NestedField => ({
  id,
  name,
  type,
  required: false,
})
export const schema = {
  type: 'struct' as const,
  'schema-id': 0,
  fields: [optional(1, 'day', 'date'), optional(2, 'n', 'int'), optional(3, 'text', 'string')],
}
export const usual: CompactOptions = {
  minFiles: 5,
  maxRewrite: 1e12,
  scratch: memoryFolder,
  maxDownload: 1e9,
}

async function makeLake(properties: Readonly<Record<string, string>>): Promise<CompactLake> {
  const folder = await mkdtemp(join(memoryFolder, 'lakejobs-compact-'))
  const clock = { ms: Date.parse('2024-05-01T00:00:00Z'), waits: [] }
  const io = localFileIO()
  const effects = testEffects(io, clock)
  const catalog = withFrozenTables(memoryCatalog('local', `file://${folder}/lake`, effects))
  const lake: Lake = { catalog, io, effects, clock }
  await catalog.createNamespace(['default'])
  const spec = partitionSpec(schema, [parsePartitionExpression('day')])
  let table = await catalog.create(await catalog.stageCreate(webLogs, { schema, spec, properties }), [])
  const data = join(table.metadata.location.replace('file://', ''), 'data')
  await mkdir(data, { recursive: true })
  const parquet = await openParquetFiles(data)
  const test: CompactLake & { close(): Promise<void> } = {
    lake,
    folder,
    get table() {
      return table
    },
    async file(sql, partition = [0], ids = { day: 1, n: 2, text: 3 }) {
      const written = await parquet.write(sql, ids)
      return { content: 0, specId: table.metadata['default-spec-id'], partition, ...written }
    },
    deletes: (rows) => parquet.deletes(rows),
    async commit(partial) {
      clock.ms += 3_600_000
      await test.load()
      table = await commitTo(lake, table, partial)
    },
    async update(...updates) {
      table = await catalog.commit(webLogs, [], updates)
    },
    async load() {
      table = await catalog.load(webLogs)
    },
    async compact(options = {}, { dryRun = false, catalog: through = catalog } = {}) {
      clock.ms += 1000
      try {
        const given = { ...usual, scratch: folder, ...options }
        return await compactTable(await through.load(webLogs), given, dryRun, through, jobContext(lake))
      } finally {
        await test.load()
      }
    },
    async append(count, day = 0, from = 0) {
      const files: DataFile[] = []
      for (let at = 0; at < count; at++) {
        const file = await test.file(rowsFrom(from + 10 * at, 3, day), [day])
        await test.commit({ addFiles: [file] })
        files.push(file)
      }
      return files
    },
    rows: (options = {}) => parquet.rows(table, options),
    digest: () => parquet.digest(table),
    async live() {
      return (await planRead({ name: 't', ...table })).files.map(({ file }) => file)
    },
    async onDisk() {
      return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.parquet')).length
    },
    async close() {
      parquet.close()
      await rm(folder, { recursive: true })
    },
  }
  return test
}

/** One for each test. */
export function eachCompactLake(properties: Readonly<Record<string, string>> = {}): CompactLake {
  let lake: CompactLake & { close?: () => Promise<void> }
  beforeEach(async () => {
    lake = await makeLake(properties)
  })
  afterEach(() => lake.close?.())
  return current(() => lake)
}
