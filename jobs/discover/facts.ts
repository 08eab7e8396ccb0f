import type { Connection } from '../postgres/connection/connect.ts'
import { formatTable, quoteIdentifier, quoteTable, type TableName } from '../postgres/identifiers.ts'
import { hasLeadingIndex, readColumns, type CatalogColumn } from '../postgres/source/catalog.ts'

/** What is known of a table without reading all of it. */
export interface TableFacts {
  readonly table: TableName
  readonly kind: 'table' | 'view' | 'materialized view' | 'foreign table'
  /** By the planner's estimate; undefined before the first ANALYZE. */
  readonly rows: number | undefined
  /** Of the table with its large values, without indexes, as of the last ANALYZE or VACUUM. */
  readonly bytes: number
  readonly primaryKey: readonly string[]
  /** Row-level security hides rows from the role. */
  readonly rowSecurity: boolean
  readonly columns: readonly CatalogColumn[]
  readonly days: readonly DayCandidate[]
  /** What `numeric` columns without precision have, as far as it was looked at. */
  readonly decimals: ReadonlyMap<string, SeenDecimal>
}

/** A column that may tell rows apart by day. */
export interface DayCandidate {
  readonly name: string
  readonly indexed: boolean
  readonly notNull: boolean
  /** Share of NULLs (0–1) by the statistics; undefined where there are none. */
  readonly nulls: number | undefined
}

export interface SeenDecimal {
  readonly whole: number
  readonly scale: number
  readonly isFinite: boolean
}

const kinds: Readonly<Record<string, TableFacts['kind']>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

/** So few are read, to know what a decimal needs; of more the statistics tell. */
const fewRows = 100_000

/** Sizes come from the catalog: asking for those of now waits for locks. */
const tableSql = `
  SELECT c.oid::int8, c.relkind, row_security_active(c.oid) AS secured,
         CASE WHEN c.relkind = 'p' THEN t.rows WHEN c.reltuples >= 0 THEN c.reltuples END AS rows,
         current_setting('block_size')::int8 * CASE WHEN c.relkind = 'p' THEN t.pages ELSE c.relpages + COALESCE(o.relpages, 0) END AS bytes,
         ARRAY(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, at)
               JOIN pg_attribute a ON a.attnum = k.attnum WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid
               ORDER BY k.at) AS key
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class o ON o.oid = c.reltoastrelid,
  LATERAL (SELECT CASE WHEN bool_and(l.reltuples >= 0) THEN sum(l.reltuples) END AS rows, sum(l.relpages) AS pages
           FROM pg_partition_tree(CASE WHEN c.relkind = 'p' THEN c.oid END) p JOIN pg_class l ON l.oid = p.relid WHERE p.isleaf) t
  WHERE n.nspname = $1 AND c.relname = $2`

const statisticsSql = `
  SELECT attname::text AS name, null_frac, (most_common_vals::text) AS common, (histogram_bounds::text) AS bounds
  FROM pg_stats WHERE schemaname = $1 AND tablename = $2 ORDER BY inherited`

/** Asks the catalog and statistics for one table; of `numeric` without precision in small tables it reads the values. Undefined where it has gone. Errors: those of the connection. */
export async function readFacts(connection: Connection, table: TableName): Promise<TableFacts | undefined> {
  const names = [table.schema, table.name]
  const [row] = await connection.query(tableSql, names, formatTable(table))
  const kind = kinds[String(row?.['relkind'])]
  if (row === undefined || kind === undefined) return undefined
  const oid = Number(row['oid'])
  const columns = await readColumns(connection, oid)
  const statistics = new Map(
    (await connection.query(statisticsSql, names)).map((one) => [String(one['name']), one]),
  )
  const days: DayCandidate[] = []
  for (const { name, base, notNull, readable } of columns) {
    if (!readable || !['date', 'timestamp', 'timestamptz'].includes(base ?? '')) continue
    const nulls = statistics.get(name)?.['null_frac']
    days.push({
      name,
      notNull,
      nulls: nulls === undefined ? undefined : Number(nulls),
      indexed: await hasLeadingIndex(connection, oid, name),
    })
  }
  const rows = row['rows'] === null ? undefined : Number(row['rows'])
  const decimals = new Map<string, SeenDecimal>()
  for (const { name, base, typmod, readable } of columns) {
    if (base !== 'numeric' || typmod >= 4 || !readable) continue
    const seen = statistics.get(name)
    if (rows !== undefined && rows <= fewRows) decimals.set(name, await allDecimals(connection, table, name))
    else if (seen !== undefined)
      decimals.set(name, seenDecimal(`${String(seen['common'])},${String(seen['bounds'])}`))
  }
  return {
    table,
    kind,
    rows,
    bytes: Number(row['bytes'] ?? 0),
    primaryKey: row['key'] as string[],
    rowSecurity: row['secured'] === true,
    columns,
    days,
    decimals,
  }
}

/** Of all values of a column. */
async function allDecimals(connection: Connection, table: TableName, name: string): Promise<SeenDecimal> {
  const value = quoteIdentifier(name)
  const isFinite = `${value}::text NOT IN ('NaN', 'Infinity', '-Infinity')`
  const [row] = await connection.query(
    `SELECT max(scale(${value})) FILTER (WHERE ${isFinite}) AS scale, bool_and(${isFinite}) AS finite,
            max(length(trunc(abs(${value}))::text)) FILTER (WHERE ${isFinite}) AS whole FROM ${quoteTable(table)}`,
    [],
    formatTable(table),
  )
  return {
    whole: Number(row?.['whole'] ?? 0),
    scale: Number(row?.['scale'] ?? 0),
    isFinite: row?.['finite'] !== false,
  }
}

/** Of values as an array's text has them. */
function seenDecimal(text: string): SeenDecimal {
  const numbers = [...text.matchAll(/-?(\d+)(?:\.(\d+))?/g)]
  return {
    whole: Math.max(0, ...numbers.map(([, whole = '']) => whole.length)),
    scale: Math.max(0, ...numbers.map(([, , places = '']) => places.length)),
    isFinite: !/NaN|Infinity/.test(text),
  }
}
