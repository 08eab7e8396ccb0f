import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { JobContext } from '../context.ts'
import { asError, JobError } from '../errors.ts'
import type { ExportFormat } from '../export/options.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { CommitLog } from '../iceberg/catalog/catalog-store.ts'
import type { PostgresSettings } from '../postgres/connect.ts'
import type { FileIO } from '../storage/file-io.ts'
import { openFileIO } from '../storage/open.ts'
import { resolvingFileIO } from '../storage/resolving.ts'
import { openStore, placeSetting, postgresSettings, s3Settings } from './settings.ts'

/** The catalogs of an export. */
export interface Catalogs {
  readonly catalog: Catalog
  /** In memory: gives tables that are not made (plain Parquet, dry runs) their ids and places. */
  readonly scratch: Catalog
  readonly close: () => Promise<void>
}

/** A catalog whose failures name the server and what to do; those that do already are left alone. */
function explained(catalog: Catalog, { host, port }: PostgresSettings): Catalog {
  const explain = (error: unknown): never => {
    if (error instanceof JobError) throw error
    throw new JobError('failed', `the catalog at ${host}:${port} failed: ${asError(error).message}`, {
      field: 'ICEBERG_POSTGRES_HOST',
      fix: 'check that the server runs and can be reached, then run again',
      cause: error,
    })
  }
  return {
    ...catalog,
    load: (...given) => catalog.load(...given).catch(explain),
    stageCreate: (...given) => catalog.stageCreate(...given).catch(explain),
    create: (...given) => catalog.create(...given).catch(explain),
    commit: (...given) => catalog.commit(...given).catch(explain),
    createNamespace: (...given) => catalog.createNamespace(...given).catch(explain),
  }
}

/** Opens the SQL catalog if Iceberg is written, and checks its settings and its warehouse's. `dryRun` makes nothing. */
export async function openCatalogs(
  { env, now, signal, logger }: JobContext,
  formats: ReadonlySet<ExportFormat>,
  dryRun: boolean,
): Promise<Catalogs> {
  const s3 = s3Settings(env)
  const [{ sqlCatalog }, { memoryCatalog }, { memoryFileIO }, { openDatabase }] = await Promise.all([
    import('../iceberg/catalog/sql.ts'),
    import('../iceberg/catalog/memory.ts'),
    import('../storage/memory.ts'),
    import('../postgres/database.ts'),
  ])
  const warehouse = placeSetting(env, 'WAREHOUSE')
  const name = env['ICEBERG_CATALOG_NAME'] ?? 'local'
  const effects = { now, uuid: randomUUID, sleep: (ms: number) => setTimeout(ms, undefined, { signal }) }
  const memory = memoryFileIO(now)
  const scratch = memoryCatalog(name, warehouse, { ...effects, openIO: () => Promise.resolve(memory) })
  if (!formats.has('iceberg')) return { catalog: scratch, scratch, close: () => Promise.resolve() }

  await openStore(warehouse, s3, dryRun)
  const server = postgresSettings(env, 'ICEBERG_POSTGRES')
  const database = await openDatabase(server, 'ICEBERG_POSTGRES')
  const openOne = (location: string): Promise<FileIO> => openFileIO(location, s3)
  const openIO = async (location: string): Promise<FileIO> =>
    resolvingFileIO(await openOne(location), openOne)
  const log: CommitLog = (level, fields, message) => {
    logger[level](fields, message)
  }
  const catalog = sqlCatalog(name, database, warehouse, { ...effects, openIO, log })
  return { catalog: explained(catalog, server), scratch, close: () => database.close() }
}
