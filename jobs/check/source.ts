import { asError, usageError } from '../errors.ts'
import type { Connection } from '../postgres/connection/connect.ts'
import { encryptionText } from '../postgres/connection/open-stream.ts'
import type { PostgresSettings } from '../postgres/connection/settings.ts'
import { demoTable } from '../postgres/demo-table.ts'
import { formatTable } from '../postgres/identifiers.ts'
import {
  connectSource,
  openSource,
  type PlannedTable,
  type Source,
  type SourceConnection,
} from '../postgres/snapshot.ts'
import type { TableRequest } from '../postgres/source/plan.ts'
import type { Check } from './check.ts'

/** What an export would ask of the source. */
export interface WantedTables {
  readonly requests: readonly TableRequest[]
  readonly rowSecurity: boolean
  /** All that stands in the way of each table, in its source and in what it is written to. */
  readonly standing: (source: Source) => Promise<readonly (Error | undefined)[]>
}

/** Where a source is. */
export interface CheckedSource {
  /** `source`, or `source crm` of a file's. */
  readonly name: string
  /** Of its environment names. */
  readonly prefix: string
  readonly settings: () => PostgresSettings
}

/** A check waits no longer than this for a table's lock. */
const lockTimeoutMs = 5000

/** The source: connects, and plans each table as an export would, its target too, so that it refuses what that refuses. */
export const checkSource =
  (
    { name, prefix, settings }: CheckedSource,
    tables: () => Promise<WantedTables>,
    signal: AbortSignal,
  ): Check =>
  async (attempt) => {
    const of = name === 'source' ? '' : `${name.slice('source '.length)}/`
    let wanted: WantedTables = { requests: [], rowSecurity: false, standing: () => Promise.resolve([]) }
    let connected: SourceConnection | undefined
    try {
      await attempt(`${name} tables`, async () => {
        wanted = await tables()
        return wanted.requests.map(({ table }) => formatTable(table)).join(', ')
      })
      const { requests, rowSecurity, standing } = wanted
      const names = requests.map(({ table }) => table)
      await attempt(name, async () => {
        connected = await connectSource(settings(), names, { prefix, signal })
        return serverText(connected.connection)
      })
      const open = connected
      if (open === undefined || names.length === 0) return
      const source = await openSource(open, requests, { workers: 1, rowSecurity, lockTimeoutMs }).catch(
        asError,
      )
      const faults = source instanceof Error ? [] : await standing(source)
      for (const [index, table] of names.entries()) {
        await attempt(`table ${of}${formatTable(table)}`, () =>
          source instanceof Error
            ? Promise.reject(source)
            : tableText(source.tables[index]!, open.found[index] instanceof Error, faults[index]),
        )
      }
      if (!(source instanceof Error)) await source.close()
    } finally {
      await connected?.connection.close()
    }
  }

/** `PostgreSQL 17.2, database mydb, user myuser`, and how the connection is encrypted. */
async function serverText(connection: Connection): Promise<string> {
  const [row] = await connection.query(
    `SELECT current_setting('server_version') AS version, current_database() AS database, current_user AS role`,
  )
  return [
    `PostgreSQL ${String(row?.['version'])}, database ${String(row?.['database'])}, user ${String(row?.['role'])}`,
    encryptionText(connection.tls),
  ].join(', ')
}

async function tableText(
  planned: PlannedTable,
  isMissing: boolean,
  fault: Error | undefined,
): Promise<string> {
  await Promise.resolve()
  if (isMissing && formatTable(planned.table) === demoTable) {
    throw usageError(`the source has no table ${demoTable}`, {
      field: 'LAKEJOBS_TABLE',
      fix: 'run `lakejobs init` with DEMO_DATA=true for demo data, or set LAKEJOBS_TABLE to your own tables',
    })
  }
  if (fault !== undefined) throw fault
  if ('error' in planned) throw planned.error
  return `readable, ${planned.plan.columns.length} columns`
}
