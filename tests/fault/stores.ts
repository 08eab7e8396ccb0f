import { parquetReadObjects } from 'hyparquet'
import { randomUUID } from 'node:crypto'
import { sqlCatalog } from '../../jobs/iceberg/catalog/sql/sql.ts'
import type { Catalog, Table } from '../../jobs/iceberg/catalog/catalog.ts'
import { NoSuchTableError } from '../../jobs/iceberg/errors.ts'
import { branchSnapshot, mainBranch } from '../../jobs/iceberg/metadata/metadata.ts'
import { isLive, readManifest, readManifestList } from '../../jobs/iceberg/manifest/table-files.ts'
import { openDatabase, type PostgresDatabase } from '../../jobs/postgres/connection/database.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { ensureBucket } from '../../jobs/storage/s3/client.ts'
import { s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { startFaultyProxy, type FaultyProxy } from '../support/faulty-proxy.ts'
import { startMinio, storeEnvironment } from '../support/minio.ts'
import { startPostgresProxy, type PostgresProxy } from './postgres-proxy.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/** A real PostgreSQL (source and catalog) and a real MinIO, each behind a proxy that only jobs go through. */
export interface Stores {
  readonly server: TestPostgres
  readonly postgres: PostgresProxy
  readonly store: FaultyProxy
  /** Past the proxies. */
  readonly io: FileIO
  readonly catalog: Catalog
  /** What `lakejobs` gets: through the proxies. Its passwords are canaries that no log may hold. */
  readonly env: Record<string, string>
  readonly secrets: readonly string[]
  stop(): Promise<void>
}

export const sourceDatabase = 'source'
export const catalogDatabase = 'lake'

export async function startStores(): Promise<Stores> {
  const server = await startPostgres()
  for (const name of [sourceDatabase, catalogDatabase]) await server.createDatabase(name)
  const minio = await startMinio()
  const [postgres, store] = [await startPostgresProxy(server), await startFaultyProxy(minio.endpoint)]
  const settings = { ...minio, region: 'us-east-1', createBucket: true }
  await ensureBucket('s3://lake', settings)
  const io = s3FileIO(settings)
  const database: PostgresDatabase = await openDatabase({ ...server, database: catalogDatabase }, 'POSTGRES')
  const catalog = sqlCatalog('local', database, 's3://lake/iceberg', {
    now: () => new Date(),
    uuid: randomUUID,
    sleep: () => Promise.resolve(),
    openIO: () => Promise.resolve(io),
  })
  const login = (prefix: string, name: string): Record<string, string> => ({
    [`${prefix}_HOST`]: postgres.host,
    [`${prefix}_PORT`]: String(postgres.port),
    [`${prefix}_DB`]: name,
    [`${prefix}_USER`]: server.user,
    [`${prefix}_PASSWORD`]: server.password,
  })
  return {
    server,
    postgres,
    store,
    io,
    catalog,
    env: {
      ...login('POSTGRES', sourceDatabase),
      ...login('ICEBERG_POSTGRES', catalogDatabase),
      ...storeEnvironment({ ...minio, endpoint: store.endpoint }),
      WAREHOUSE: 's3://lake/iceberg',
      PARQUET_LOCATION: 's3://lake/parquet',
    },
    secrets: [server.password, minio.secretAccessKey],
    async stop() {
      await database.close()
      await Promise.all([postgres.stop(), store.stop()])
      await Promise.all([server.stop(), minio.stop()])
    },
  }
}

/** What a table holds: rows by Parquet's own values, and which files belong to it. */
export interface TableState {
  readonly rows: number
  readonly sum: bigint
  readonly snapshots: number
  /** Every file that metadata, snapshots and manifests of the table name; all of them exist. */
  readonly referenced: ReadonlySet<string>
}

/**
 * Reads a table from its pointer to its Parquet rows (`id` and `v` are summed); undefined when there is none. Throws when
 * anything referred to is missing, counted wrongly or out of order.
 */
export async function stateOf({ catalog, io }: Stores, name: string): Promise<TableState | undefined> {
  let table: Table
  try {
    table = await catalog.load({ namespace: ['default'], name })
  } catch (error) {
    if (error instanceof NoSuchTableError) return undefined
    throw error
  }
  const { metadata, metadataLocation } = table
  const referenced = new Set([metadataLocation!])
  for (const entry of metadata['metadata-log']) referenced.add(entry['metadata-file'])
  const current = branchSnapshot(metadata, mainBranch)
  let [rows, sum] = [0, 0n]
  for (const [index, snapshot] of metadata.snapshots.entries()) {
    const parent = metadata.snapshots[index - 1]?.['snapshot-id']
    if (snapshot['parent-snapshot-id'] !== parent || snapshot['sequence-number'] !== index + 1)
      throw new Error(`${name}: snapshot ${index + 1} is not the child of the one before`)
    referenced.add(snapshot['manifest-list'])
    for (const manifest of await readManifestList(io, snapshot)) {
      referenced.add(manifest.manifestPath)
      const stat = await io.stat(manifest.manifestPath)
      if (stat?.size !== manifest.manifestLength) throw new Error(`${manifest.manifestPath}: size`)
      for (const { dataFile } of (await readManifest(io, metadata, manifest)).filter(isLive)) {
        const isNew = !referenced.has(dataFile.filePath)
        referenced.add(dataFile.filePath)
        if (isNew && (await io.stat(dataFile.filePath))?.size !== dataFile.fileSizeInBytes)
          throw new Error(`${dataFile.filePath}: size`)
        if (snapshot !== current) continue
        const counted = await countRows(await io.read(dataFile.filePath))
        if (counted.rows !== dataFile.recordCount) throw new Error(`${dataFile.filePath}: rows`)
        rows += counted.rows
        sum += counted.sum
      }
    }
  }
  const total = Number(current?.summary['total-records'] ?? 0)
  if (total !== rows) throw new Error(`${name}: total-records is ${total}, the files have ${rows}`)
  return { rows, sum, snapshots: metadata.snapshots.length, referenced }
}

/** Rows of a Parquet file, and the sum of `id` × 1,000,003 + `v`, so that no two of them can be mixed up unseen. */
export async function countRows(bytes: Buffer): Promise<{ rows: number; sum: bigint }> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const rows = (await parquetReadObjects({ file })) as { readonly id: number; readonly v: number }[]
  return {
    rows: rows.length,
    sum: rows.reduce((total, { id, v }) => total + BigInt(id) * 1_000_003n + BigInt(v), 0n),
  }
}

/** What `stateOf` should find: the source table's rows. */
export async function sourceOf({ server }: Stores, table: string): Promise<Pick<TableState, 'rows' | 'sum'>> {
  const [row] = await server.query(
    `SELECT count(*)::int AS rows, coalesce(sum(id::numeric * 1000003 + v), 0)::text AS sum FROM ${table}`,
    [],
    sourceDatabase,
  )
  return { rows: row!['rows'] as number, sum: BigInt(row!['sum'] as string) }
}

/** Files below the table's folder that nothing refers to, but for the version hint, which is replaced by each commit. */
export async function orphansOf(
  { io }: Stores,
  name: string,
  state: TableState | undefined,
): Promise<string[]> {
  const names: string[] = []
  for await (const { location } of io.list(`s3://lake/iceberg/default/${name}`))
    if (state?.referenced.has(location) !== true && !location.endsWith('/metadata/version-hint.text'))
      names.push(location)
  return names.sort()
}
