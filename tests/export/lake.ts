import { setMaxListeners } from 'node:events'
import { DuckDBInstance } from '@duckdb/node-api'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { exportTables } from '../../jobs/export/export.ts'
import { tablePairs } from '../../jobs/export/target/names.ts'
import { readerThreads } from '../../jobs/export/read/thread.ts'
import type { ExportOptions } from '../../jobs/export/options.ts'
import type { Catalog, Table } from '../../jobs/iceberg/catalog/catalog.ts'
import { memoryCatalog } from '../../jobs/iceberg/catalog/memory.ts'
import { sqlCatalog } from '../../jobs/iceberg/catalog/sql/sql.ts'
import type { Database } from '../../jobs/iceberg/catalog/sql/sql-tables.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot, mainBranch, type Snapshot } from '../../jobs/iceberg/metadata/metadata.ts'
import { isLive, readManifest, readManifestList } from '../../jobs/iceberg/manifest/table-files.ts'
import { parsePartitionExpression } from '../../jobs/iceberg/partition/transforms.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { connectSource } from '../../jobs/postgres/snapshot.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import type { Outcome } from '../../jobs/summary.ts'
import type { TestPostgres } from '../support/postgres.ts'

/** A warehouse on disk with its SQL catalog in the test server: what exports are run against in this process. */
export interface TestLake {
  readonly folder: string
  readonly catalog: Catalog
  /** The same for a writer that does not queue: one that commits while another is in its turn. */
  readonly unqueued: Catalog
  readonly pool: pg.Pool
  close(): Promise<void>
}

let lakes = 0

/** `database`: what the catalog talks to instead of its pool. */
export async function openLake(
  server: TestPostgres,
  through: (pool: pg.Pool) => Database = (pool) => pool,
): Promise<TestLake> {
  const folder = await mkdtemp(join(tmpdir(), 'lakejobs-lake-'))
  const name = `iceberg_${++lakes}`
  await server.createDatabase(name)
  const pool = new pg.Pool({ ...server, database: name, max: 4 })
  pool.on('error', () => undefined)
  const catalogOver = (database: Database): Catalog =>
    sqlCatalog('local', database, `file://${folder}/iceberg`, catalogEffects(localFileIO()))
  return {
    folder,
    pool,
    catalog: catalogOver(through(pool)),
    unqueued: catalogOver({ query: (sql, parameters) => pool.query(sql, parameters) }),
    async close() {
      await pool.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const catalogEffects = (io: FileIO) => ({
  now: () => new Date(),
  uuid: randomUUID,
  sleep: () => Promise.resolve(),
  openIO: () => Promise.resolve(io),
})

export type Flags = Partial<Omit<ExportOptions, 'tables' | 'formats' | 'partitionBy'>> & {
  readonly tables?: readonly string[]
  readonly formats?: readonly ('parquet' | 'iceberg')[]
  readonly partitionBy?: readonly string[]
  readonly signal?: AbortSignal
  readonly onLog?: (line: string) => void
  /** In place of the lake's: a catalog that must not be asked, a store that fails. */
  readonly catalog?: Catalog
  readonly parquetIO?: FileIO
}

/** `lakejobs export` in this process; tables have to be analysed and small: threads need the built jobs. */
export async function runExport(server: TestPostgres, lake: TestLake, flags: Flags = {}): Promise<Outcome> {
  const { tables = ['public.t'], formats = ['iceberg'], partitionBy, signal, onLog, ...rest } = flags
  const memory = memoryFileIO(() => new Date())
  const inMemory = memoryCatalog('local', `file://${lake.folder}/iceberg`, catalogEffects(memory))
  const options: ExportOptions = {
    formats: new Set(formats),
    scope: { mode: 'full' },
    onlyChanged: false,
    newTablesBy: [],
    dayColumn: undefined,
    renames: {},
    upgrade: false,
    required: false,
    rowSecurity: false,
    maxShrink: 0.5,
    codec: 'snappy',
    targetFileBytes: 2 ** 29,
    groupRows: 1_000_000,
    groupBytes: 24 * 2 ** 20,
    maxRowBytes: 2 ** 28,
    connections: 2,
    lockTimeoutMs: 5000,
    parquetLocation: `file://${lake.folder}/parquet`,
    scratch: tmpdir(),
    dryRun: false,
    ...rest,
    partitionBy: partitionBy?.map((text) => parsePartitionExpression(text)),
  }
  const interruption = signal ?? new AbortController().signal
  setMaxListeners(0, interruption)
  const catalog = formats.includes('iceberg') ? (flags.catalog ?? lake.catalog) : inMemory
  const pairs = tablePairs(tables, 'default')
  const stores = { catalog, inMemory, parquetIO: flags.parquetIO ?? localFileIO() }
  return exportTables(
    pairs.map((pair) => ({ pair, options, stores })),
    {
      connectSource: () =>
        connectSource(
          server,
          pairs.map(({ source }) => source),
          { prefix: 'POSTGRES', signal: signal ?? new AbortController().signal },
        ),
      threads: readerThreads(new AbortController().signal),
    },
    {
      runId: randomUUID(),
      now: () => new Date(),
      logger: pino({ level: onLog ? 'info' : 'silent' }, { write: onLog ?? (() => undefined) }),
      progress: { start: () => ({ add: () => undefined, done: () => undefined }) },
      during: (_, work) => work(),
      signal: interruption,
      env: {},
      originOf: () => 'default',
      optionNames: () => Promise.resolve([]),
    },
  )
}

export const load = (lake: TestLake, name = 't', namespace = 'default'): Promise<Table> =>
  lake.catalog.load({ namespace: namespace.split('.'), name })

export const currentSnapshot = (table: Table): Snapshot => branchSnapshot(table.metadata, mainBranch)!

export async function dataFilesOf({ io, metadata }: Table): Promise<DataFile[]> {
  const files: DataFile[] = []
  for (const manifest of await readManifestList(io, branchSnapshot(metadata, mainBranch))) {
    files.push(...(await readManifest(io, metadata, manifest)).filter(isLive).map(({ dataFile }) => dataFile))
  }
  return files
}

const pathOf = (location: string): string => location.replace(/^file:\/\//, '')

/** Rows as arrays of text, by DuckDB: `select` over the Parquet files, e.g. `sum(a), count(*)`. */
export async function queryFiles(paths: readonly string[], select: string): Promise<(string | null)[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`SET TimeZone = 'UTC'`)
    const list = paths.map((path) => `'${pathOf(path).replaceAll("'", "''")}'`).join(', ')
    // Hive columns off: a folder such as `a=1` must not stand in for the column of the file.
    const from = `read_parquet([${list}], hive_partitioning = false)`
    const result = await connection.runAndReadAll(select.replaceAll('FILES', from))
    return result
      .getRowsJson()
      .map((row) => row.map((value) => (value === null ? null : String(value as string | number | bigint))))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** The table's rows, by its live files. */
export const queryTable = async (table: Table, select: string): Promise<(string | null)[][]> =>
  queryFiles(
    (await dataFilesOf(table)).map(({ filePath }) => filePath),
    select,
  )

/** Every file below the lake, relative, sorted; temporary ones too, but not the summaries that runs leave. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('runs/'))
    .sort()
}

/** Files below `data/` that no live entry of the current snapshot names. */
export async function unreferenced(lake: TestLake, table: Table): Promise<string[]> {
  const live = new Set((await dataFilesOf(table)).map(({ filePath }) => pathOf(filePath)))
  const all = (await filesIn(lake.folder)).filter((path) => path.includes('/data/'))
  return all.filter((path) => !live.has(join(lake.folder, path)))
}
