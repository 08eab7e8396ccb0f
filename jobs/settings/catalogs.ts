import { effectsOf, type JobContext } from '../context.ts'
import { asError, JobError } from '../errors.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { PostgresSettings } from '../postgres/connection/settings.ts'
import type { FileIO } from '../storage/file-io.ts'
import { openFileIO } from '../storage/open.ts'
import { resolvingFileIO } from '../storage/resolving.ts'
import { openStore, placeSetting, postgresSettings, s3Settings } from './settings.ts'

/** The catalogs of an export. */
export interface Catalogs {
  readonly catalog: Catalog
  /** In memory: gives tables that are not made (plain Parquet, dry runs) their ids and places. */
  readonly inMemory: Catalog
  /** The store of a canonical location, and of all others that files there name. */
  readonly openIO: (location: string) => Promise<FileIO>
  readonly close: () => Promise<void>
}

/** A catalog whose failures name the server and what to do; those that do already are left alone. */
function explained(catalog: Catalog, { host, port }: Pick<PostgresSettings, 'host' | 'port'>): Catalog {
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
    sibling: (name) => explained(catalog.sibling(name), { host, port }),
    load: (...given) => catalog.load(...given).catch(explain),
    stageCreate: (...given) => catalog.stageCreate(...given).catch(explain),
    create: (...given) => catalog.create(...given).catch(explain),
    entries: () => catalog.entries().catch(explain),
    everyProperty: () => catalog.everyProperty().catch(explain),
    register: (...given) => catalog.register(...given).catch(explain),
    drop: (...given) => catalog.drop(...given).catch(explain),
    updateNamespace: (...given) => catalog.updateNamespace(...given).catch(explain),
    commit: (...given) => catalog.commit(...given).catch(explain),
    listNamespaces: () => catalog.listNamespaces().catch(explain),
    listTables: (...given) => catalog.listTables(...given).catch(explain),
    createNamespace: (...given) => catalog.createNamespace(...given).catch(explain),
  }
}

export interface CatalogOptions {
  readonly iceberg: boolean
  readonly dryRun: boolean
  readonly versionHint: boolean
  /** Of the stores; default: as the environment says. */
  readonly stallTimeoutMs?: number
}

/**
 * Opens the SQL catalog, where Iceberg is written, and checks its settings and its warehouse's; without Iceberg both are in
 * memory. `dryRun` makes nothing.
 */
export async function openCatalogs(
  context: JobContext,
  { iceberg, dryRun, versionHint, stallTimeoutMs }: CatalogOptions,
): Promise<Catalogs> {
  const { env } = context
  const s3 = s3Settings(env, stallTimeoutMs)
  const warehouse = placeSetting(env, 'WAREHOUSE')
  const openOne = (location: string): Promise<FileIO> => openFileIO(location, s3)
  const openIO = async (location: string): Promise<FileIO> =>
    resolvingFileIO(await openOne(location), openOne)
  if (!iceberg) {
    const inMemory = await catalogInMemory(context, warehouse)
    return { catalog: inMemory, inMemory, openIO, close: () => Promise.resolve() }
  }
  const server = postgresSettings(env, 'ICEBERG_POSTGRES')
  const { openDatabase } = await import('../postgres/connection/database.ts')
  // The rest is loaded while the server answers.
  const opening = openDatabase(server, 'ICEBERG_POSTGRES')
  // Whoever waits for it gets the failure; until then it is not an unhandled one.
  opening.catch(() => undefined)
  try {
    const [inMemory, { sqlCatalog }] = await Promise.all([
      catalogInMemory(context, warehouse),
      import('../iceberg/catalog/sql/sql.ts'),
      openStore(warehouse, s3, dryRun),
    ])
    const database = await opening
    const effects = { ...effectsOf(context), openIO, versionHint }
    const catalog = sqlCatalog(catalogName(env), database, warehouse, effects)
    return { catalog: explained(catalog, server), inMemory, openIO, close: () => database.close() }
  } catch (error) {
    await opening.then(
      (database) => database.close(),
      () => undefined,
    )
    throw error
  }
}

async function catalogInMemory(context: JobContext, warehouse: string): Promise<Catalog> {
  const [{ memoryCatalog }, { memoryFileIO }] = await Promise.all([
    import('../iceberg/catalog/memory.ts'),
    import('../storage/memory.ts'),
  ])
  const memory = memoryFileIO(context.now)
  const openIO = (): Promise<FileIO> => Promise.resolve(memory)
  return memoryCatalog(catalogName(context.env), warehouse, { ...effectsOf(context), openIO })
}

/** The catalog's name, which other readers must use, too. */
export const catalogName = (env: JobContext['env']): string => env['ICEBERG_CATALOG_NAME'] ?? 'local'
