import { usageError } from '../errors.ts'
import { connect, type Connection, type PostgresSettings } from '../postgres/connect.ts'
import { demoTable } from '../postgres/demo-table.ts'
import { formatTable, quoteTable, type TableName } from '../postgres/identifiers.ts'
import type { Check } from './check.ts'

/** The source: connects, and reads a row of each table as an export would. */
export const checkSource =
  (settings: () => PostgresSettings, tables: () => readonly TableName[], signal: AbortSignal): Check =>
  async (attempt) => {
    let connection: Connection | undefined
    try {
      await attempt('source', async () => {
        connection = await connect(settings(), { prefix: 'POSTGRES', signal })
        return serverText(connection)
      })
      let names: readonly TableName[] = []
      await attempt('source tables', () => {
        names = tables()
        return Promise.resolve(names.map(formatTable).join(', '))
      })
      const open = connection
      if (open === undefined) return
      for (const name of names) {
        await attempt(`table ${formatTable(name)}`, () => canRead(open, name))
      }
    } finally {
      await connection?.close()
    }
  }

/** `PostgreSQL 17.2, database mydb, user myuser`. */
async function serverText(connection: Connection): Promise<string> {
  const [row] = await connection.query(
    `SELECT current_setting('server_version') AS version, current_database() AS database, current_user AS role`,
  )
  return `PostgreSQL ${String(row?.['version'])}, database ${String(row?.['database'])}, user ${String(row?.['role'])}`
}

async function canRead(connection: Connection, name: TableName): Promise<string> {
  const table = formatTable(name)
  const [found] = await connection.query('SELECT to_regclass($1) IS NOT NULL AS found', [quoteTable(name)])
  if (found?.['found'] !== true) {
    throw usageError(`the source has no table ${table}`, {
      field: 'LAKEJOBS_TABLE',
      fix:
        table === demoTable
          ? 'run `lakejobs init` with DEMO_DATA=true for demo data, or set LAKEJOBS_TABLE to your own tables'
          : 'correct LAKEJOBS_TABLE, or create the table',
    })
  }
  const rows = await connection.query(`SELECT FROM ${quoteTable(name)} LIMIT 1`, [], table)
  return rows.length === 0 ? 'readable, empty' : 'readable'
}
