import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { currentSchema } from '../../jobs/iceberg/metadata/metadata.ts'
import { planRead, type ReadOptions } from '../../jobs/lake/read-plan.ts'
import { readyScan } from '../../jobs/lake/scan/ready-scan.ts'
import { takeStep } from '../../jobs/lake/scan/scan-step.ts'

type Written = Pick<DataFile, 'filePath' | 'recordCount' | 'fileSizeInBytes' | 'fileFormat'>

/** By the columns' names; of a list a structure of DuckDB's. */
export type FieldIds = Readonly<Record<string, number | string>>

/** Real Parquet files in a folder of the disk, made and read by DuckDB. */
export interface ParquetFiles {
  /** The rows of a query; `ids`: the columns' field ids. */
  write(sql: string, ids: FieldIds): Promise<Written>
  /** A file of position deletes, for files of one partition. */
  deletes(rows: readonly (readonly [file: DataFile, position: number])[]): Promise<DataFile>
  /** Of a state of a table, with its current schema, as JSON, sorted. */
  rows(table: Pick<Table, 'metadata' | 'io'>, options?: ReadOptions): Promise<string[]>
  /** How many rows there are now, and a sum over them that does not know their order; text tells NaN from NULL and -0.0 from 0.0. */
  digest(table: Pick<Table, 'metadata' | 'io'>): Promise<string>
  /** A query's rows. */
  query(sql: string): Promise<(readonly unknown[])[]>
  close(): void
}

export async function openParquetFiles(folder: string): Promise<ParquetFiles> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const query = async (sql: string): Promise<(readonly unknown[])[]> =>
    (await connection.runAndReadAll(sql)).getRowsJson()
  const files: ParquetFiles = {
    query,
    async write(sql, ids) {
      const path = join(folder, `00000-0-${randomUUID()}-00001.parquet`)
      const fieldIds = Object.entries(ids).map(([column, id]) => `${column}: ${id}`)
      const clause = fieldIds.length === 0 ? '' : `, FIELD_IDS {${fieldIds.join(', ')}}`
      const [row] = await query(`COPY (${sql}) TO '${path}' (FORMAT parquet${clause})`)
      return {
        filePath: `file://${path}`,
        fileFormat: 'PARQUET',
        recordCount: Number(row![0]),
        fileSizeInBytes: (await stat(path)).size,
      }
    },
    async deletes(rows) {
      const values = rows.map(([{ filePath }, position]) => `('${filePath}', ${position}::bigint)`)
      const sql = `SELECT * FROM (VALUES ${values.join(', ')}) AS d(file_path, pos)`
      const { specId, partition } = rows[0]![0]
      const written = await files.write(sql, { file_path: 2147483546, pos: 2147483545 })
      return { content: 1, specId, partition, ...written }
    },
    rows: async (table, options = {}) =>
      (await read(table, options)).map((row) => JSON.stringify(row)).sort(),
    async digest(table) {
      const [sum] = await read(table, {}, (sql) => `SELECT count(*), sum(hash(r::varchar)) FROM (${sql}) r`)
      return String(sum)
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
  const read = async (
    table: Pick<Table, 'metadata' | 'io'>,
    options: ReadOptions,
    as = (sql: string) => sql,
  ): Promise<(readonly unknown[])[]> => {
    const { files: planned, snapshot } = await planRead({ name: 't', ...table }, options)
    const request = {
      table: { ...table, name: 't' },
      snapshot,
      scratch: folder,
      maxDownload: 1e9,
      readsStore: false,
      fields: currentSchema(table.metadata).fields,
      files: planned,
      prefix: `t${randomUUID().replaceAll('-', '')}`,
      signal: new AbortController().signal,
    }
    const { steps, sql, tables } = await readyScan(request)
    for (const step of steps) await takeStep(connection, step)
    const rows = await query(as(sql))
    for (const made of tables) await connection.run(`DROP TABLE ${made}`)
    return rows
  }
  return files
}
