import { systemCode } from '../../../errors.ts'

/** Runs one statement. */
interface Queries {
  query(
    sql: string,
    parameters?: unknown[],
  ): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly rowCount: number | null }>
}

/** A connection of one's own, until it is given back; `destroy`: nobody else may have it. */
export interface DatabaseSession extends Queries {
  release(destroy?: boolean): void
}

/** What the SQL catalog needs of PostgreSQL: a `pg.Pool`, or anything that runs one statement like it. */
export interface Database extends Queries {
  /** Without it writers of one table do not queue. */
  connect?(): Promise<DatabaseSession>
}

/** SQLSTATEs that two sessions creating the same table at once get, `IF NOT EXISTS` or not. */
const createdByAnother = ['23505', '42P07', '42710']

/** Version 1 of the JDBC catalog's tables, as Java, PyIceberg, iceberg-rust and iceberg-go create them. */
const tables = [
  `CREATE TABLE IF NOT EXISTS iceberg_tables (
     catalog_name VARCHAR(255) NOT NULL,
     table_namespace VARCHAR(255) NOT NULL,
     table_name VARCHAR(255) NOT NULL,
     metadata_location VARCHAR(1000),
     previous_metadata_location VARCHAR(1000),
     iceberg_type VARCHAR(5),
     PRIMARY KEY (catalog_name, table_namespace, table_name))`,
  `CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
     catalog_name VARCHAR(255) NOT NULL,
     namespace VARCHAR(255) NOT NULL,
     property_key VARCHAR(255) NOT NULL,
     property_value VARCHAR(1000),
     PRIMARY KEY (catalog_name, namespace, property_key))`,
]

/** The catalog's tables as they are; follows the search path, as the statements on them do. */
export interface CatalogTables {
  /** Both are there. */
  readonly complete: boolean
  /** `iceberg_tables` has the column `iceberg_type`: version 1; false: version 0, or none. */
  readonly hasType: boolean
}

/** Looks which of the catalog's tables are there; changes nothing. */
export async function readCatalogTables(database: Database): Promise<CatalogTables> {
  const { rows } = await database.query(
    `SELECT to_regclass('iceberg_tables') IS NOT NULL
        AND to_regclass('iceberg_namespace_properties') IS NOT NULL AS complete,
       EXISTS (SELECT FROM pg_attribute
         WHERE attrelid = to_regclass('iceberg_tables') AND attname = 'iceberg_type' AND NOT attisdropped) AS typed`,
  )
  return { complete: rows[0]?.['complete'] === true, hasType: rows[0]?.['typed'] === true }
}

/**
 * Creates what is missing of the catalog's tables: one that another program made as version 0 is used as it is. Needs
 * no right to create where both exist.
 */
export async function prepareCatalogTables(
  database: Database,
): Promise<{ readonly hasType: boolean; readonly made: boolean }> {
  const found = await readCatalogTables(database)
  if (found.complete) return { hasType: found.hasType, made: false }
  for (const sql of tables)
    await database.query(sql).catch((error: unknown) => {
      if (!createdByAnother.includes(systemCode(error) ?? '')) throw error
    })
  return { hasType: (await readCatalogTables(database)).hasType, made: true }
}
