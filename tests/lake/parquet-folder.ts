import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { noDeletes } from '../../jobs/iceberg/manifest/delete-index.ts'
import type { TableMetadata } from '../../jobs/iceberg/metadata/metadata.ts'
import type { NestedField } from '../../jobs/iceberg/schema/types.ts'
import { lakeEngine } from '../../jobs/lake/engine.ts'
import type { PlannedFile } from '../../jobs/lake/read-plan.ts'
import type { RowSource } from '../../jobs/lake/read-rows.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'

/** Parquet files made by DuckDB, as a table would have them, and what reads them. */
export interface ParquetFolder {
  readonly folder: string
  /** Of a table without properties, partitions and schemas. */
  readonly source: RowSource
  /** A file of a query, whose columns have the ids of `ids`. */
  dataFile(sql: string, ids: Readonly<Record<string, number | string>>, rows: number): Promise<DataFile>
  /** The same, planned without deletes. */
  plannedFile(sql: string, ids: Readonly<Record<string, number | string>>, rows: number): Promise<PlannedFile>
  remove(): Promise<void>
}

export const emptyMetadata = {
  properties: {},
  schemas: [{ type: 'struct', 'schema-id': 0, fields: [] }],
  'current-schema-id': 0,
  'partition-specs': [{ 'spec-id': 0, fields: [] }],
} as unknown as TableMetadata

/** The folder's name is a pattern to DuckDB. */
export async function parquetFolder(): Promise<ParquetFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'lake-[rows]-*-'))
  const { signal } = new AbortController()
  const engine = lakeEngine({ threads: 2, memoryLimit: 2 ** 28, scratch: folder, signal })
  const table = { name: 'default.t', metadata: emptyMetadata, io: localFileIO() }
  let files = 0
  const dataFile: ParquetFolder['dataFile'] = async (sql, ids, rows) => {
    const path = join(folder, `file-${++files}.parquet`)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const fieldIds = Object.entries(ids).map(([column, id]) => `${column}: ${id}`)
    const clause = fieldIds.length === 0 ? '' : `, FIELD_IDS {${fieldIds.join(', ')}}`
    await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 20000${clause})`)
    connection.closeSync()
    instance.closeSync()
    return {
      content: 0,
      filePath: `file://${path}`,
      fileFormat: 'PARQUET',
      specId: 0,
      partition: [],
      recordCount: rows,
      fileSizeInBytes: (await stat(path)).size,
    }
  }
  return {
    folder,
    source: { table, snapshot: undefined, engine, scratch: folder, maxDownload: 2 ** 30, signal },
    dataFile,
    plannedFile: async (...given) => ({
      file: await dataFile(...given),
      sequenceNumber: 1,
      snapshotId: undefined,
      position: 'inside',
      deletes: noDeletes,
    }),
    async remove() {
      engine.close()
      await rm(folder, { recursive: true })
    },
  }
}

export const field = (id: number, type: NestedField['type'], name = `f${id}`): NestedField => ({
  id,
  name,
  type,
  required: false,
})
