import type { Connection } from '../connection/connect.ts'
import type { TableName } from '../identifiers.ts'

/**
 * Every table and view that a pattern may mean: not the system's, temporary ones, an extension's own, nor partitions, whose rows
 * are their parent's. Sorted by name.
 */
export async function listTables(connection: Connection): Promise<TableName[]> {
  const rows = await connection.query(
    `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (
         SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
       )
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  )
  return rows.map((row) => ({ schema: String(row['nspname']), name: String(row['relname']) }))
}
