import type { Connection } from './connection/connect.ts'

/** The table of the demo data (design §3.3): filled by `seed`, exported by default. */
export const demoTable = 'public.web_logs'

/** In the table's comment: the table is lakejobs' demo data. */
export const demoMark = 'lakejobs demo data'

/** The statement of scripts/db/init.sql, which a test holds against it; here, so that `dist/` is all a job needs. */
export const demoTableSql = `DO $$
BEGIN
  IF to_regclass('public.web_logs') IS NULL THEN
    CREATE TABLE public.web_logs (
      user_id INTEGER NOT NULL,
      url TEXT NOT NULL,
      response_time INTEGER NOT NULL,
      status_code INTEGER NOT NULL,
      timestamp TIMESTAMPTZ NOT NULL
    );
    CREATE INDEX web_logs_timestamp_idx ON public.web_logs (timestamp);
    COMMENT ON TABLE public.web_logs IS '${demoMark}';
  END IF;
END
$$;
`

/**
 * Begins a transaction whose owner alone works on the demo table, until it ends: of several `seed` and `init` at
 * once each finds what the one before it left.
 */
export async function beginOnDemoTable(connection: Connection): Promise<void> {
  await connection.query('BEGIN')
  await connection.query(`SELECT pg_advisory_xact_lock(hashtext('lakejobs seed'))`)
}

/** Creates the table with its mark, unless there is one of that name, whoever's; true when it did. */
export async function createDemoTable(connection: Connection): Promise<boolean> {
  const [row] = await connection.query(`SELECT to_regclass('${demoTable}') IS NULL AS missing`)
  if (row?.['missing'] !== true) return false
  await connection.query(demoTableSql, [], demoTable)
  return true
}

/** Whether the table has a row for which `condition`, an SQL expression, holds. */
export async function hasRows(connection: Connection, condition = 'true'): Promise<boolean> {
  const [row] = await connection.query(
    `SELECT EXISTS (SELECT FROM ${demoTable} WHERE ${condition}) AS found`,
    [],
    demoTable,
  )
  return row?.['found'] === true
}

/**
 * Makes sure that demo data may be written to the table (operations-spec §2): it carries lakejobs' mark, or is empty
 * and is marked now, behind its comment. `foreign` is a table with rows and no mark, which is left as it is.
 */
export async function claimDemoTable(connection: Connection): Promise<'marked' | 'was marked' | 'foreign'> {
  const [row] = await connection.query(
    `SELECT coalesce(obj_description('${demoTable}'::regclass, 'pg_class'), '') AS comment`,
  )
  const comment = String(row?.['comment'])
  if (comment.includes(demoMark)) return 'was marked'
  if (await hasRows(connection)) return 'foreign'
  const marked = comment === '' ? demoMark : `${comment} (${demoMark})`
  const literal = connection.client.escapeLiteral(marked)
  await connection.query(`COMMENT ON TABLE ${demoTable} IS ${literal}`, [], demoTable)
  return 'marked'
}
