import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { JobContext } from '../context.ts'
import { asError, JobError } from '../errors.ts'
import type { ExportFormat } from '../export/options.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { CatalogEffects, CommitLog } from '../iceberg/catalog/catalog-store.ts'
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
  context: JobContext,
  formats: ReadonlySet<ExportFormat>,
  dryRun: boolean,
): Promise<Catalogs> {
  const { env } = context
  const s3 = s3Settings(env)
  const warehouse = placeSetting(env, 'WAREHOUSE')
  if (!formats.has('iceberg')) {
    const scratch = await scratchCatalog(context, warehouse)
    return { catalog: scratch, scratch, close: () => Promise.resolve() }
  }
  const server = postgresSettings(env, 'ICEBERG_POSTGRES')
  const { openDatabase } = await import('../postgres/database.ts')
  // The rest is loaded while the server answers.
  const opening = openDatabase(server, 'ICEBERG_POSTGRES')
  // Whoever waits for it gets the failure; until then it is not an unhandled one.
  opening.catch(() => undefined)
  try {
    const [scratch, { sqlCatalog }] = await Promise.all([
      scratchCatalog(context, warehouse),
      import('../iceberg/catalog/sql.ts'),
      openStore(warehouse, s3, dryRun),
    ])
    const database = await opening
    const openOne = (location: string): Promise<FileIO> => openFileIO(location, s3)
    const openIO = async (location: string): Promise<FileIO> =>
      resolvingFileIO(await openOne(location), openOne)
    const log: CommitLog = (level, fields, message) => {
      context.logger[level](fields, message)
    }
    const effects = { ...effectsOf(context), openIO, log }
    const catalog = sqlCatalog(catalogName(env), database, warehouse, effects)
    return { catalog: explained(catalog, server), scratch, close: () => database.close() }
  } catch (error) {
    await opening.then(
      (database) => database.close(),
      () => undefined,
    )
    throw error
  }
}

async function scratchCatalog(context: JobContext, warehouse: string): Promise<Catalog> {
  const [{ memoryCatalog }, { memoryFileIO }] = await Promise.all([
    import('../iceberg/catalog/memory.ts'),
    import('../storage/memory.ts'),
  ])
  const memory = memoryFileIO(context.now)
  const openIO = (): Promise<FileIO> => Promise.resolve(memory)
  return memoryCatalog(catalogName(context.env), warehouse, { ...effectsOf(context), openIO })
}

const catalogName = (env: JobContext['env']): string => env['ICEBERG_CATALOG_NAME'] ?? 'local'

const effectsOf = ({ now, signal }: JobContext): Pick<CatalogEffects, 'now' | 'uuid' | 'sleep'> => ({
  now,
  uuid: randomUUID,
  sleep: (ms) => setTimeout(ms, undefined, { signal }),
})
