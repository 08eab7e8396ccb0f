import { asError, usageError } from '../errors.ts'
import { tableText, type TableIdentifier } from '../iceberg/catalog/catalog.ts'
import { currentMetadata } from '../iceberg/catalog/stored/current-metadata.ts'
import { readCatalogTables } from '../iceberg/catalog/sql/sql-tables.ts'
import type { PostgresSettings } from '../postgres/connection/settings.ts'
import { encryptionText } from '../postgres/connection/open-stream.ts'
import { openDatabase, type PostgresDatabase } from '../postgres/connection/database.ts'
import { serverError } from '../postgres/errors.ts'
import type { FileIO } from '../storage/file-io.ts'
import { isManaged } from '../provenance/managed.ts'
import type { Attempt, Check, Warning } from './check.ts'
import { tableWarnings } from './upkeep/table.ts'

/** What a check of the metadata files needs. */
export interface MetadataCheck {
  readonly warehouse: () => string
  readonly open: (location: string) => Promise<FileIO>
  readonly nowMs: number
}

/**
 * The SQL catalog: connects, finds its tables, writes to them in a transaction that is rolled back, and opens the metadata
 * of each table that it lists.
 */
export const checkCatalog =
  (settings: () => PostgresSettings, name: string, metadata: MetadataCheck): Check =>
  async (attempt, warn) => {
    let database: PostgresDatabase | undefined
    try {
      const connected = await attempt('catalog', async () => {
        database = await openDatabase(settings(), 'ICEBERG_POSTGRES')
        const { rows } = await database.query(`SELECT current_setting('server_version') AS version`)
        return `PostgreSQL ${String(rows[0]?.['version'])}, catalog ${name}, ${encryptionText(database.tls)}`
      })
      const open = database
      if (!connected || open === undefined) return
      if (await attempt('catalog tables', () => tablesText(open)))
        await attempt('catalog writes', () => canWrite(open, name))
      else return
      await checkMetadata(open, name, metadata, attempt, warn)
    } finally {
      await database?.close()
    }
  }

async function tablesText(database: PostgresDatabase): Promise<string> {
  const { complete, hasType } = await readCatalogTables(database)
  if (complete) return `version ${hasType ? 1 : 0}`
  throw usageError('the catalog has no tables yet', {
    field: 'ICEBERG_POSTGRES_DB',
    fix: 'run `lakejobs init`, or correct ICEBERG_POSTGRES_DB',
  })
}

/** One check where all tables' metadata can be read, else one for each whose cannot; and whether ours need maintenance. */
async function checkMetadata(
  database: PostgresDatabase,
  name: string,
  { warehouse, open, nowMs }: MetadataCheck,
  attempt: Attempt,
  warn: (warning: Warning) => void,
): Promise<void> {
  const failed: { readonly table: string; readonly error: Error }[] = []
  let [ours, due] = [0, 0]
  const all = async (): Promise<string> => {
    const tables = await listed(database, name)
    for (const { identifier, location } of tables) {
      const table = tableText(identifier)
      const found = await currentMetadata(identifier, location, warehouse(), open).catch((error: unknown) => {
        failed.push({ table, error: asError(error) })
      })
      if (found === undefined || !isManaged(found.metadata)) continue
      const warnings = await tableWarnings({ name: table, metadataLocation: location, ...found }, nowMs)
      for (const warning of warnings) warn({ check: `maintenance of ${table}`, ...warning })
      ours++
      if (warnings.length > 0) due++
    }
    return `${tables.length} tables, the metadata of ${tables.length - failed.length} can be read`
  }
  await attempt('metadata', all)
  if (ours > 0)
    await attempt('maintenance', () => Promise.resolve(`${due} of ${ours} managed tables need it`))
  for (const { table, error } of failed) await attempt(`metadata of ${table}`, () => Promise.reject(error))
}

async function listed(
  database: PostgresDatabase,
  name: string,
): Promise<{ readonly identifier: TableIdentifier; readonly location: string }[]> {
  const { rows } = await database.query(
    `SELECT table_namespace AS namespace, table_name AS name, metadata_location AS location FROM iceberg_tables
     WHERE catalog_name = $1 AND metadata_location IS NOT NULL ORDER BY table_namespace, table_name`,
    [name],
  )
  return rows.map((row) => ({
    identifier: { namespace: String(row['namespace']).split('.'), name: String(row['name']) },
    location: String(row['location']),
  }))
}

/** A name that no table has: parts of a real namespace are separated by dots. */
const probe = '.lakejobs check'

async function canWrite(database: PostgresDatabase, name: string): Promise<string> {
  const session = await database.connect()
  try {
    await session.query('BEGIN')
    await session.query(
      `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location) VALUES ($1, $2, $2, $2)`,
      [name, probe],
    )
    const key = 'catalog_name = $1 AND table_namespace = $2 AND table_name = $2'
    await session.query(`UPDATE iceberg_tables SET previous_metadata_location = $2 WHERE ${key}`, [
      name,
      probe,
    ])
    await session.query(`DELETE FROM iceberg_tables WHERE ${key}`, [name, probe])
    await session.query(
      `INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key) VALUES ($1, $2, $2)`,
      [name, probe],
    )
    return 'writable'
  } catch (error) {
    throw serverError(error, 'the catalog')
  } finally {
    await session.query('ROLLBACK').then(
      () => {
        session.release()
      },
      () => {
        session.release(true)
      },
    )
  }
}
