import { usageError } from '../../errors.ts'
import type { Connection } from '../connection/connect.ts'
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
  /**
   * LOCK TABLE takes it: a table or view that the role may SELECT from as a whole. No version of PostgreSQL lets a
   * role lock by grants on columns.
   */
  readonly lockable: boolean
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
         has_table_privilege(c.oid, 'SELECT') AS selectable,
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
    lockable: row['selectable'] === true && (kind === 'table' || kind === 'partitioned' || kind === 'view'),
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

/** A table below the one that is read. */
export interface Leaf extends Relation {
  /** Reading it by itself gives this role the rows that it has through its parent: may read it, and no policy hides any. */
  readonly readable: boolean
}

/**
 * What holds the rows that a SELECT through a partitioned or inherited table gives: every table below `oid`, itself
 * included, that has storage or is foreign. As PostgreSQL's own expansion has it (find_inheritance_children,
 * expand_inherited_rtentry): not what is being detached as the snapshot sees it (`inhdetachpending`, from PostgreSQL 14
 * on), nor other sessions' temporary tables.
 */
export async function findLeaves(connection: Connection, oid: number): Promise<Leaf[]> {
  const rows = await connection.query(
    `WITH RECURSIVE tree AS (
       SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
       WHERE to_jsonb(i) ->> 'inhdetachpending' IS DISTINCT FROM 'true'
     ) ${relationSql(true).replace('SELECT', "SELECT has_schema_privilege(n.oid, 'USAGE') AS usable,")}
     JOIN tree ON tree.oid = c.oid WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't' ORDER BY c.oid`,
    [oid],
  )
  return rows.map((row) => {
    const leaf = readRelation(row)!
    return { ...leaf, readable: row['usable'] === true && row['selectable'] === true && !leaf.rowSecurity }
  })
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
  /** Computed when it is read, by the expression of the table that the query names. */
  readonly virtual: boolean
  /** As declared: `numeric(10,2)`, `my_domain`. */
  readonly declared: string
  /**
   * The base type: its name if it is one of pg_catalog's, `enum` for an enum, `range` for a range or multirange
   * (not of money),
   * `extension.type` for one of an extension; undefined for any other and for arrays.
   */
  readonly base: string | undefined
  /** Of an array: the base type of its elements, which are not arrays. */
  readonly element: string | undefined
  /** Of an array: its elements'. */
  readonly typmod: number
  /** A string type of whatever schema: its values are read as others by parsing them. */
  readonly isText: boolean
  /** The connected role may read it: by a grant on the table or on the column. */
  readonly readable: boolean
}

/**
 * The columns in their order, dropped ones left out, generated ones included. Domains are followed to their
 * base type, arrays to their elements; the outermost type modifier that is set applies.
 */
export async function readColumns(connection: Connection, oid: number): Promise<CatalogColumn[]> {
  const rows = await connection.query(
    `WITH RECURSIVE resolved AS (
       SELECT attnum, attname, attnotnull, attgenerated = 'v' AS virtual, format_type(atttypid, atttypmod) AS declared,
              atttypid AS typid, atttypmod AS typmod, 0 AS arrays
       FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
       UNION ALL
       SELECT r.attnum, r.attname, r.attnotnull, r.virtual, r.declared,
              CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
              CASE WHEN t.typtype = 'd' AND r.typmod = -1 THEN t.typtypmod ELSE r.typmod END,
              CASE WHEN t.typtype = 'd' THEN r.arrays ELSE r.arrays + 1 END
       FROM resolved r JOIN pg_type t ON t.oid = r.typid WHERE t.typtype = 'd' OR ${isArray}
     )
     SELECT r.attnum, r.attname, r.virtual, r.declared, r.typmod,
            r.attnotnull AND NOT EXISTS (
              SELECT FROM pg_constraint k
              WHERE k.conrelid = $1 AND k.contype = 'n' AND k.conkey = ARRAY[r.attnum] AND NOT k.convalidated
            ) AS not_null,
            CASE WHEN t.typtype = 'e' THEN 'enum' WHEN t.typtype IN ('r', 'm') THEN (
                   SELECT 'range' FROM pg_range g WHERE g.rngsubtype <> 'money'::regtype
                     AND (g.rngtypid = t.oid OR to_jsonb(g) ->> 'rngmultitypid' = t.oid::text))
                 WHEN n.nspname = 'pg_catalog' THEN t.typname
                 ELSE (SELECT e.extname || '.' || t.typname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                       WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                         AND d.refclassid = 'pg_extension'::regclass)
            END AS base,
            r.arrays, r.arrays = 0 AND t.typcategory = 'S' AS is_text, has_column_privilege($1, r.attnum, 'SELECT') AS readable
     FROM resolved r JOIN pg_type t ON t.oid = r.typid JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype <> 'd' AND NOT ${isArray} ORDER BY r.attnum`,
    [oid],
  )
  return rows.map((row) => ({
    name: String(row['attname']),
    attnum: Number(row['attnum']),
    notNull: row['not_null'] === true,
    virtual: row['virtual'] === true,
    declared: String(row['declared']),
    base: row['arrays'] === 0 ? named(row['base']) : undefined,
    element: row['arrays'] === 1 ? named(row['base']) : undefined,
    typmod: Number(row['typmod']),
    isText: row['is_text'] === true,
    readable: row['readable'] === true,
  }))
}

/** Whether the type `t` is the array of another: int2vector and its like have elements, too. */
const isArray =
  '(t.typelem <> 0 AND EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid))'

const named = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
