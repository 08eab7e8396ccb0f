import { usageError } from '../errors.ts'
import { readCatalogTables } from '../iceberg/catalog/sql-tables.ts'
import type { PostgresSettings } from '../postgres/connect.ts'
import { openDatabase, type PostgresDatabase } from '../postgres/database.ts'
import { serverError } from '../postgres/errors.ts'
import type { Check } from './check.ts'

/** The SQL catalog: connects, finds its tables, and writes to them in a transaction that is rolled back. */
export const checkCatalog =
  (settings: () => PostgresSettings, name: string): Check =>
  async (attempt) => {
    let database: PostgresDatabase | undefined
    try {
      const connected = await attempt('catalog', async () => {
        database = await openDatabase(settings(), 'ICEBERG_POSTGRES')
        const { rows } = await database.query(`SELECT current_setting('server_version') AS version`)
        return `PostgreSQL ${String(rows[0]?.['version'])}, catalog ${name}`
      })
      const open = database
      if (!connected || open === undefined) return
      if (await attempt('catalog tables', () => tablesText(open)))
        await attempt('catalog writes', () => canWrite(open, name))
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
