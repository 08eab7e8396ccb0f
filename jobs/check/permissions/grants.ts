import { usageError } from '../../errors.ts'
import type { PostgresDatabase } from '../../postgres/connection/database.ts'
import { formatTable, quoteIdentifier, quoteTable, type TableName } from '../../postgres/identifiers.ts'

export interface Missing {
  readonly what: string
  readonly error: Error
}

export type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'

/** A table as the role sees it. */
export interface TableGrants {
  readonly table: TableName
  readonly mayUseSchema: boolean
  readonly privileges: readonly Privilege[]
  /** Columns that it may not SELECT, in order. */
  readonly hiddenColumns: readonly string[]
  readonly columns: readonly string[]
  /** Row-level security would leave rows out for it. */
  readonly isFiltered: boolean
}

export interface Grants {
  readonly role: string
  readonly tables: readonly TableGrants[]
}

/**
 * What the role that is connected may do with the relations that a condition on `pg_class c` and `pg_namespace n` chooses.
 * The catalogs are read, which everyone may: names are resolved for nobody who may not use their schema.
 */
export async function readGrants(
  database: PostgresDatabase,
  condition: string,
  parameters: unknown[],
): Promise<Grants> {
  const { rows: who } = await database.query('SELECT current_user AS role')
  const { rows } = await database.query(
    `SELECT n.nspname AS schema, c.relname AS name, has_schema_privilege(n.oid, 'USAGE') AS usable,
       row_security_active(c.oid) AS filtered,
       ARRAY(SELECT p FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
             WHERE has_table_privilege(c.oid, p)) AS privileges,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
             AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
             AND NOT a.attisdropped AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')
             ORDER BY a.attnum) AS hidden
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${condition}`,
    parameters,
  )
  return {
    role: String(who[0]?.['role']),
    tables: rows.map((row) => ({
      table: { schema: String(row['schema']), name: String(row['name']) },
      mayUseSchema: row['usable'] === true,
      isFiltered: row['filtered'] === true,
      privileges: row['privileges'] as Privilege[],
      columns: row['columns'] as string[],
      hiddenColumns: row['hidden'] as string[],
    })),
  }
}

/** What is missing and the statement that grants it; `field` is the setting that names the role. */
export const missingGrant = (what: string, statement: string, role: string, field: string): Missing => ({
  what,
  error: usageError(`role ${role} lacks ${what}`, { field, fix: `as the owner run: ${statement};` }),
})

/** `USAGE on schema shop`, for each schema that the role may not use. */
export function missingUsage({ role, tables }: Grants, field: string): readonly Missing[] {
  const schemas = new Set(tables.flatMap(({ table, mayUseSchema }) => (mayUseSchema ? [] : [table.schema])))
  return [...schemas].map((schema) =>
    missingGrant(
      `USAGE on schema ${schema}`,
      `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(role)}`,
      role,
      field,
    ),
  )
}

/** `INSERT on public.iceberg_tables`, for each privilege on the table that the role has not. */
export const missingPrivileges = (
  { table, privileges }: TableGrants,
  wanted: readonly Privilege[],
  role: string,
  field: string,
): readonly Missing[] =>
  wanted
    .filter((privilege) => !privileges.includes(privilege))
    .map((privilege) =>
      missingGrant(
        `${privilege} on ${formatTable(table)}`,
        `GRANT ${privilege} ON ${quoteTable(table)} TO ${quoteIdentifier(role)}`,
        role,
        field,
      ),
    )
