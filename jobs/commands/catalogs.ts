import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { JobContext } from '../context.ts'
import type { ExportFormat } from '../export/options.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { CommitLog } from '../iceberg/catalog/catalog-store.ts'
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
  const database = await openDatabase(postgresSettings(env, 'ICEBERG_POSTGRES'), 'ICEBERG_POSTGRES')
  const openOne = (location: string): Promise<FileIO> => openFileIO(location, s3)
  const openIO = async (location: string): Promise<FileIO> =>
    resolvingFileIO(await openOne(location), openOne)
  const log: CommitLog = (level, fields, message) => {
    logger[level](fields, message)
  }
  const catalog = sqlCatalog(name, database, warehouse, { ...effects, openIO, log })
  return { catalog, scratch, close: () => database.close() }
}
