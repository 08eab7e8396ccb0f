import { usageError } from '../../errors.ts'
import type { Connection } from '../connect.ts'
import { formatTable, type TableName } from '../identifiers.ts'

/** pg_class.relkind of what can be read. */
export type RelationKind = 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table'

const kinds: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

export interface Relation {
  readonly table: TableName
  readonly oid: number
  readonly kind: RelationKind
  /** Row-level security applies to the connected role. */
  readonly rowSecurity: boolean
  /** Tables that inherit from it, or its partitions. */
  readonly hasChildren: boolean
  readonly comment: string | undefined
  /** Size of the main fork now; 0 for what has no storage, and before it is locked. */
  readonly pages: number
  /**
   * The planner's estimate, once it is locked scaled to the size of now (0 without pages); undefined before the first
   * ANALYZE.
   */
  readonly estimatedRows: number | undefined
}

/** Asking for the size waits for a lock: only `sized` does, for relations that are locked already. */
const relationSql = (sized: boolean): string => `
  SELECT c.oid::int8, n.nspname, c.relname, c.relkind, c.relhassubclass, row_security_active(c.oid) AS secured,
         obj_description(c.oid, 'pg_class') AS comment, c.relpages, c.reltuples,
         CASE WHEN c.relkind NOT IN ('r', 'm') THEN 0
              WHEN ${String(sized)} THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END AS pages
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`

const readRelation = (row: Record<string, unknown>): Relation | undefined => {
  const kind = kinds[String(row['relkind'])]
  if (kind === undefined) return undefined
  const [pages, relpages, tuples] = [Number(row['pages']), Number(row['relpages']), Number(row['reltuples'])]
  const perPage = relpages > 0 ? tuples / relpages : undefined
  const unsized = kind === 'foreign table' || kind === 'partitioned' || row['pages'] === null
  const analysed = tuples >= 0 && (tuples > 0 || relpages > 0)
  return {
    table: { schema: String(row['nspname']), name: String(row['relname']) },
    oid: Number(row['oid']),
    kind,
    rowSecurity: row['secured'] === true,
    hasChildren: row['relhassubclass'] === true,
    comment: typeof row['comment'] === 'string' ? row['comment'] : undefined,
    pages,
    estimatedRows:
      !unsized && kind !== 'view' && pages === 0
        ? 0
        : !analysed
          ? undefined
          : unsized || perPage === undefined
            ? tuples
            : Math.round(perPage * pages),
  }
}

/**
 * The relation of that name; exit 2 when there is none or it cannot be read as a table. Before it is locked its
 * size is not asked for (`pages` 0).
 */
export async function findRelation(
  connection: Connection,
  table: TableName,
  state: 'unlocked' | 'locked',
): Promise<Relation> {
  const shown = formatTable(table)
  const [row] = await connection.query(
    `${relationSql(state === 'locked')} WHERE n.nspname = $1 AND c.relname = $2`,
    [table.schema, table.name],
  )
  if (row === undefined) {
    const [similar] = await connection.query(
      `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE lower(c.relname) = lower($2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       ORDER BY lower(n.nspname) = lower($1) DESC, n.nspname LIMIT 1`,
      [table.schema, table.name],
    )
    const other =
      similar && formatTable({ schema: String(similar['nspname']), name: String(similar['relname']) })
    throw usageError(`there is no table ${shown}`, {
      field: shown,
      fix: other === undefined ? 'check the schema and the table name' : `did you mean --table '${other}'?`,
    })
  }
  const relation = readRelation(row)
  if (relation === undefined) {
    throw usageError(`${shown} is not a table or view`, { field: shown, fix: 'name a table or a view' })
  }
  return relation
}

/**
 * What holds the rows of a partitioned or inherited table: every table below `oid`, itself included, that has
 * storage or is foreign. `readable` tells whether the connected role may read it directly.
 */
export async function findLeaves(
  connection: Connection,
  oid: number,
): Promise<(Relation & { readonly readable: boolean })[]> {
  const rows = await connection.query(
    `WITH RECURSIVE tree AS (
       SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
     ) ${relationSql(true).replace('SELECT', "SELECT has_table_privilege(c.oid, 'SELECT') AS readable,")}
     JOIN tree ON tree.oid = c.oid WHERE c.relkind IN ('r', 'f') ORDER BY c.oid`,
    [oid],
  )
  return rows.map((row) => ({ ...readRelation(row)!, readable: row['readable'] === true }))
}

/** Whether a complete B-tree index leads with the column. */
export async function hasLeadingIndex(connection: Connection, oid: number, column: string): Promise<boolean> {
  const rows = await connection.query(
    `SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = $1 AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree' AND a.attname = $2`,
    [oid, column],
  )
  return rows.length > 0
}

/** A column as pg_catalog has it, its domain resolved. */
export interface CatalogColumn {
  readonly name: string
  readonly attnum: number
  /** NOT NULL, and the constraint is validated. */
  readonly notNull: boolean
  /** As declared: `numeric(10,2)`, `my_domain`. */
  readonly declared: string
  /** The base type: its name if it is one of pg_catalog's, `enum` for an enum, undefined for any other. */
  readonly base: string | undefined
  readonly typmod: number
}

/**
 * The columns in their order, dropped ones left out, generated ones included. Domains are followed to their
 * base type; the outermost type modifier that is set applies.
 */
export async function readColumns(connection: Connection, oid: number): Promise<CatalogColumn[]> {
  const rows = await connection.query(
    `WITH RECURSIVE resolved AS (
       SELECT attnum, attname, attnotnull, format_type(atttypid, atttypmod) AS declared,
              atttypid AS typid, atttypmod AS typmod
       FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
       UNION ALL
       SELECT r.attnum, r.attname, r.attnotnull, r.declared, t.typbasetype,
              CASE WHEN r.typmod = -1 THEN t.typtypmod ELSE r.typmod END
       FROM resolved r JOIN pg_type t ON t.oid = r.typid WHERE t.typtype = 'd'
     )
     SELECT r.attnum, r.attname, r.declared, r.typmod,
            r.attnotnull AND NOT EXISTS (
              SELECT FROM pg_constraint k
              WHERE k.conrelid = $1 AND k.contype = 'n' AND k.conkey = ARRAY[r.attnum] AND NOT k.convalidated
            ) AS not_null,
            CASE WHEN t.typtype = 'e' THEN 'enum' WHEN n.nspname = 'pg_catalog' THEN t.typname END AS base
     FROM resolved r JOIN pg_type t ON t.oid = r.typid JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype <> 'd' ORDER BY r.attnum`,
    [oid],
  )
  return rows.map((row) => ({
    name: String(row['attname']),
    attnum: Number(row['attnum']),
    notNull: row['not_null'] === true,
    declared: String(row['declared']),
    base: typeof row['base'] === 'string' ? row['base'] : undefined,
    typmod: Number(row['typmod']),
  }))
}
