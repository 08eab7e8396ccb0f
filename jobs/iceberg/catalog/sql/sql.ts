import { systemCode } from '../../../errors.ts'
import { TableAlreadyExistsError } from '../../errors.ts'
import { namespaceText, tableText, type Catalog, type TableIdentifier } from '../catalog.ts'
import type { CatalogEffects, CatalogStore } from '../stored/catalog-store.ts'
import { prepareCatalogTables, readCatalogTables, type Database } from './sql-tables.ts'
import { storedCatalog } from '../stored/stored-catalog.ts'
import { serialized } from './serialized.ts'
import { holdingAdvisoryLock, whileAlone } from './writer-queue.ts'

/**
 * The SQL catalog in PostgreSQL that PyIceberg (`type: sql`), Spark and Trino (JDBC catalog) share. `name` is
 * part of every key: the others must use the same. Its tables are created when missing.
 */
export const sqlCatalog = (
  name: string,
  database: Database,
  warehouse: string,
  effects: CatalogEffects,
): Catalog => storedCatalog(sqlStore(name, serialized(database, effects)), warehouse, effects)

const uniqueViolation = '23505'
const keyOf = 'catalog_name = $1 AND table_namespace = $2 AND table_name = $3'
const tableType = "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)"

/** Pointers in `iceberg_tables`. Rows of views are never touched. */
function sqlStore(name: string, database: Database): CatalogStore {
  let preparing: Promise<{ readonly hasType: boolean }> | undefined
  const prepared = (): Promise<{ readonly hasType: boolean }> => {
    preparing ??= prepareCatalogTables(database).catch((error: unknown) => {
      preparing = undefined
      throw error
    })
    return preparing
  }
  const onlyTables = async (): Promise<string> => ((await prepared()).hasType ? `AND ${tableType}` : '')
  /** Whoever only reads makes nothing: a dry run of a catalog that does not exist yet finds nothing in it. */
  const isThere = async (): Promise<boolean> => {
    // Of another caller of this catalog: they are there when it has made them, not when it has begun to.
    if (preparing !== undefined) return (await preparing, true)
    return (await readCatalogTables(database)).complete
  }
  const key = ({ namespace, name: table }: TableIdentifier): unknown[] => [
    name,
    namespaceText(namespace),
    table,
  ]
  const namespaceRows = async (sql: string, ...parameters: unknown[]): Promise<number> => {
    await prepared()
    return (await database.query(sql, [name, ...parameters])).rowCount ?? 0
  }

  return {
    name,

    sibling: (other) => sqlStore(other, database),

    async pointer(identifier) {
      if (!(await isThere())) return undefined
      const { rows } = await database.query(
        `SELECT metadata_location FROM iceberg_tables WHERE ${keyOf} ${await onlyTables()}`,
        key(identifier),
      )
      const location = rows[0]?.['metadata_location']
      return typeof location === 'string' ? location : undefined
    },

    async isView(identifier) {
      if (!(await isThere()) || !(await prepared()).hasType) return false
      const { rows } = await database.query(
        `SELECT FROM iceberg_tables WHERE ${keyOf} AND NOT ${tableType}`,
        key(identifier),
      )
      return rows.length > 0
    },

    async insert(identifier, location) {
      const { hasType } = await prepared()
      const sql = hasType
        ? `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
           VALUES ($1, $2, $3, $4, 'TABLE')`
        : `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location)
           VALUES ($1, $2, $3, $4)`
      return database.query(sql, [...key(identifier), location]).then(
        () => true,
        (error: unknown) => {
          if (systemCode(error) === uniqueViolation) return false
          throw error
        },
      )
    },

    async swap(identifier, from, to) {
      const { rowCount } = await database.query(
        `UPDATE iceberg_tables SET metadata_location = $5, previous_metadata_location = $4
          WHERE ${keyOf} AND metadata_location = $4 ${await onlyTables()}`,
        [...key(identifier), from, to],
      )
      return rowCount === 1
    },

    async remove(identifier, from) {
      const { rowCount } = await database.query(
        `DELETE FROM iceberg_tables
          WHERE ${keyOf} AND ($4::text IS NULL OR metadata_location = $4) ${await onlyTables()}`,
        [...key(identifier), from ?? null],
      )
      return rowCount === 1
    },

    async rename(from, to) {
      const sql = `UPDATE iceberg_tables SET table_namespace = $4, table_name = $5 WHERE ${keyOf} ${await onlyTables()}`
      const parameters = [...key(from), namespaceText(to.namespace), to.name]
      try {
        return (await database.query(sql, parameters)).rowCount === 1
      } catch (error) {
        if (systemCode(error) === uniqueViolation) throw new TableAlreadyExistsError(tableText(to))
        throw error
      }
    },

    async entries() {
      if (!(await isThere())) return []
      const isView = (await prepared()).hasType ? `NOT ${tableType}` : 'false'
      const { rows } = await database.query(
        `SELECT catalog_name, table_namespace, table_name, metadata_location, ${isView} AS is_view
           FROM iceberg_tables WHERE metadata_location IS NOT NULL`,
      )
      return rows.map((row) => ({
        catalog: String(row['catalog_name']),
        namespace: String(row['table_namespace']),
        name: String(row['table_name']),
        isView: row['is_view'] === true,
        metadataLocation: String(row['metadata_location']),
      }))
    },

    async everyProperty() {
      if (!(await isThere())) return []
      const { rows } = await database.query(
        `SELECT catalog_name, namespace, property_key, property_value
           FROM iceberg_namespace_properties WHERE property_value IS NOT NULL`,
      )
      return rows.map((row) => ({
        catalog: String(row['catalog_name']),
        namespace: String(row['namespace']),
        key: String(row['property_key']),
        value: String(row['property_value']),
      }))
    },

    async tables(namespace) {
      const { rows } = await database.query(
        `SELECT table_name FROM iceberg_tables
          WHERE catalog_name = $1 AND table_namespace = $2 ${await onlyTables()}`,
        [name, namespaceText(namespace)],
      )
      return rows.map((row) => String(row['table_name']))
    },

    async namespaces() {
      if (!(await isThere())) return []
      const { rows } = await database.query(
        `SELECT table_namespace AS namespace FROM iceberg_tables WHERE catalog_name = $1
         UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $1`,
        [name],
      )
      return rows.map((row) => String(row['namespace']))
    },

    async properties(namespace) {
      const text = namespaceText(namespace)
      const exists = (await this.namespaces()).some((other) => other === text || other.startsWith(`${text}.`))
      if (!exists) return undefined
      const { rows } = await database.query(
        `SELECT property_key, property_value FROM iceberg_namespace_properties
          WHERE catalog_name = $1 AND namespace = $2 AND property_value IS NOT NULL`,
        [name, text],
      )
      return Object.fromEntries(
        rows.map((row) => [String(row['property_key']), String(row['property_value'])]),
      )
    },

    async setProperties(namespace, updates) {
      await namespaceRows(
        `INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
         SELECT $1, $2, key, value FROM unnest($3::text[], $4::text[]) AS property (key, value)
         ON CONFLICT (catalog_name, namespace, property_key)
         DO UPDATE SET property_value = excluded.property_value`,
        namespaceText(namespace),
        Object.keys(updates),
        Object.values(updates),
      )
    },

    async removeProperties(namespace, keys) {
      await namespaceRows(
        `DELETE FROM iceberg_namespace_properties
          WHERE catalog_name = $1 AND namespace = $2 AND property_key = ANY ($3::text[])`,
        namespaceText(namespace),
        keys,
      )
    },

    async removeNamespace(namespace) {
      await namespaceRows(
        'DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2',
        namespaceText(namespace),
      )
    },

    // Under one name in all catalogs here: new tables of one name may be about to lie in one folder.
    inTurn: (identifier, work, signal) =>
      holdingAdvisoryLock(database, `lakejobs commit ${tableText(identifier)}`, work, signal),

    // Of this catalog's entry alone: that of another name may be another table.
    alone: (identifier, work, signal) =>
      whileAlone(database, `lakejobs maintain ${name} ${tableText(identifier)}`, work, signal),

    outcomeOf: outcomeOfError,
  }
}

/** The statement was never sent: the server could not be reached or let nobody in. */
const unsent = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN', '53300', '57P03']
/** The session broke off: connection exceptions, shutdowns, "statement completion unknown". */
const broken = /^(08...|57P0[12]|40003)$/

/**
 * An SQLSTATE of any other kind is the server's answer that the statement was rolled back. Whatever has none
 * (a reset, a time-out, "Connection terminated unexpectedly") is no answer.
 */
function outcomeOfError(error: unknown): 'refused' | 'unsent' | 'unknown' {
  const code = systemCode(error) ?? ''
  if (unsent.includes(code)) return 'unsent'
  return /^[0-9A-Z]{5}$/.test(code) && !broken.test(code) && /\d/.test(code) ? 'refused' : 'unknown'
}
