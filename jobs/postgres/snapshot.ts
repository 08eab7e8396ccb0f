import { JobError, asError, systemCode, usageError } from '../errors.ts'
import { connect, type Connection, type ConnectOptions } from './connection/connect.ts'
import type { PostgresSettings } from './connection/settings.ts'
import { SnapshotLost } from './errors.ts'
import { formatTable, quoteLiteral, quoteTable, type TableName } from './identifiers.ts'
import { isolated, settle } from './isolated.ts'
import { findRelation, readColumns, type Relation } from './source/catalog.ts'
import { unknownColumns } from './source/own-options.ts'
import {
  planTable,
  type Described,
  type TablePlan,
  type TableRequest,
  type KnownTable,
} from './source/plan.ts'

export interface SourceOptions {
  /** Connections that will read; decides how many ranges a table is cut into. */
  readonly workers: number
  /** `--row-security`: read what the policies let through instead of refusing. */
  readonly rowSecurity: boolean
  /** How long the coordinator waits for each lock. */
  readonly lockTimeoutMs: number
}

/** A connection to the source, before its instant: nothing is locked and no snapshot taken. */
export interface SourceConnection {
  readonly connection: Connection
  readonly options: ConnectOptions
  readonly server: ServerFacts
  readonly systemId: string | undefined
  /** Each table as it was found, or why it cannot be read. */
  readonly found: readonly (Relation | Error)[]
}

/** One table of the request: its plan, or why it cannot be read (the others can). */
export type PlannedTable =
  | { readonly table: TableName; readonly plan: TablePlan }
  | { readonly table: TableName; readonly error: Error; readonly known?: KnownTable | undefined }

/** What a reader in any thread needs to see the same instant. Plain data. */
export interface SnapshotAccess {
  readonly settings: PostgresSettings
  readonly prefix: string
  readonly snapshotId: string
  readonly rowSecurity: boolean
  readonly serverVersion: number
  readonly checkUtf8: boolean
}

/** Where the tables are, and which database cluster it is. */
export interface SourceServer {
  /** `host:port`. */
  readonly server: string
  readonly database: string
  /** The cluster's own number, which its standbys share; undefined where the role may not ask for it. */
  readonly systemId: string | undefined
}

export interface Source {
  readonly server: SourceServer
  /** When the snapshot was taken, by the server's clock: ISO 8601, UTC, microseconds. */
  readonly sourceTime: string
  readonly access: SnapshotAccess
  readonly tables: readonly PlannedTable[]
  /** Gives the snapshot and the locks back; readers that have opened keep theirs. */
  close(): Promise<void>
}

/** Connects and finds the tables; `openSource` does the rest. Errors: those of `connect`, a server that is too old. */
export async function connectSource(
  settings: PostgresSettings,
  tables: readonly TableName[],
  options: ConnectOptions,
): Promise<SourceConnection> {
  const connection = await connect(settings, options)
  try {
    const server = await readServer(connection)
    const systemId = await readSystemId(connection)
    const found: (Relation | Error)[] = []
    for (const table of tables) found.push(await settle(findRelation(connection, table, 'unlocked')))
    return { connection, options, server, systemId, found }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/**
 * Opens the source at one instant (export-spec §1.1): the tables are locked before any query takes the
 * snapshot, because TRUNCATE and rewriting ALTERs are not MVCC-safe; then the snapshot is exported; only then
 * are columns and sizes read. Throws when nothing can be read at all; a single table's error is its result. The
 * connection, made for the same tables, is closed with the source or when this throws.
 */
export async function openSource(
  { connection, options: connecting, server, systemId, found }: SourceConnection,
  requests: readonly TableRequest[],
  options: SourceOptions,
): Promise<Source> {
  const { rowSecurity, lockTimeoutMs } = options
  const settings = { ...server, rowSecurity, lockTimeoutMs, encoding: 'UTF8' } as const
  const guard = createGuard(() => connect(connection.settings, connecting), settings)
  const close = async (): Promise<void> => {
    await Promise.all([connection.close(), guard.close()])
  }
  try {
    await begin(connection, settings)
    const locked: (Relation | Error)[] = []
    for (const relation of found) {
      const failed =
        relation instanceof Error
          ? relation
          : relation.lockable
            ? await isolated(connection, () => lock(connection, relation, ''))
            : await guard.hold(relation)
      locked.push(failed instanceof Error ? failed : relation)
    }
    const [snapshot] = await connection.query(
      `SELECT pg_export_snapshot() AS id,
              to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time`,
    )
    const { host, port, database } = connection.settings
    return {
      server: { server: `${host}:${port}`, database, systemId },
      sourceTime: String(snapshot?.['time']),
      access: {
        settings: connection.settings,
        prefix: connecting.prefix,
        snapshotId: String(snapshot?.['id']),
        rowSecurity: options.rowSecurity,
        ...server,
      },
      tables: await planAll(connection, locked, requests, { ...server, ...options }),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A transaction that holds tables from before the snapshot is taken. */
interface Guard {
  /** Locks a table; the error is its value. */
  hold(relation: Relation): Promise<unknown>
  close(): Promise<void>
}

/**
 * What LOCK TABLE does not take, a query without rows locks, but that takes the snapshot of its transaction. So another
 * connection does it, made when it is needed, and holds the locks until the source is closed: nothing can be
 * rewritten between the snapshot and the first read.
 */
function createGuard(open: () => Promise<Connection>, settings: TransactionSettings): Guard {
  let opened: Promise<Connection> | undefined
  const start = async (): Promise<Connection> => {
    const connection = await open()
    await begin(connection, settings)
    return connection
  }
  return {
    async hold(relation) {
      const connection = await (opened ??= start())
      return isolated(connection, () => lock(connection, relation, ''))
    },
    async close() {
      const connection = await opened?.catch(() => undefined)
      await connection?.close()
    },
  }
}

/** Plans every table; what no table has of what the flags name stands in the way of all of them. */
async function planAll(
  connection: Connection,
  locked: readonly (Relation | Error)[],
  requests: readonly TableRequest[],
  options: ServerFacts & SourceOptions,
): Promise<PlannedTable[]> {
  const described: (Described | Error)[] = []
  for (const relation of locked) {
    described.push(
      relation instanceof Error ? relation : await isolated(connection, () => describe(connection, relation)),
    )
  }
  const unknown = unknownColumns(
    requests.map((request, index) => {
      const one = described[index]!
      const columns =
        one instanceof Error
          ? undefined
          : { table: one.relation.table, names: one.catalog.map(({ name }) => name) }
      return {
        options: { ...request, dayColumn: request.days?.column },
        columns,
        sections: request.sections,
      }
    }),
  )
  const planning = {
    ...options,
    tidRangeScan: options.serverVersion >= 140_000,
    isOneOfSeveral: requests.length > 1,
  }
  const tables: PlannedTable[] = []
  for (const [index, request] of requests.entries()) {
    const one = described[index]!
    let known: KnownTable | undefined
    const onFaults = (found: KnownTable): void => {
      known = found
    }
    const plan =
      one instanceof Error
        ? one
        : await isolated(connection, () =>
            planTable(connection, one, request, {
              ...planning,
              workers: request.workers ?? options.workers,
              rowSecurity: request.rowSecurity ?? options.rowSecurity,
              faults: unknown[index]!,
              onFaults,
            }),
          )
    tables.push({ table: request.table, ...(plan instanceof Error ? { error: plan, known } : { plan }) })
  }
  return tables
}

/**
 * A reader's connection that sees the source's instant. Its tables are locked one by one, by `lockForReading`.
 * The signal cancels what it reads.
 */
export async function openReader(access: SnapshotAccess, signal?: AbortSignal): Promise<Connection> {
  const { settings, prefix } = access
  const connection = await connect(settings, { prefix, ...(signal && { signal }) })
  try {
    await begin(connection, {
      ...access,
      // PostgreSQL would refuse invalid bytes without saying where they are; sent as they are, the decoder finds them.
      encoding: access.checkUtf8 ? 'SQL_ASCII' : 'UTF8',
      lockTimeoutMs: readerLockTimeoutMs,
    })
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

/**
 * Locks the table for this reader without waiting: a queued ACCESS EXCLUSIVE would block it behind the
 * coordinator, unseen by the deadlock detector. Throws `LockUnavailable`: other readers, which have the lock,
 * read its ranges (export-spec §1.2). The reader's transaction stays usable.
 */
export async function lockForReading(
  connection: Connection,
  plan: Pick<TablePlan, 'table' | 'lockable'>,
): Promise<void> {
  const failed = await isolated(connection, () => lock(connection, plan, ' NOWAIT'))
  if (failed instanceof Error) throw failed
}

/** What LOCK TABLE does not take has no NOWAIT; a reader waits no longer than this. */
const readerLockTimeoutMs = 10_000

interface TransactionSettings {
  readonly serverVersion: number
  readonly rowSecurity: boolean
  readonly lockTimeoutMs: number
  readonly encoding: 'UTF8' | 'SQL_ASCII'
  readonly snapshotId?: string
}

/** None of these statements takes a snapshot: LOCK has to come before that. */
async function begin(connection: Connection, options: TransactionSettings): Promise<void> {
  const values: Record<string, string> = {
    row_security: options.rowSecurity ? 'on' : 'off',
    TimeZone: 'UTC',
    client_encoding: options.encoding,
    DateStyle: 'ISO, YMD',
    IntervalStyle: 'iso_8601',
    bytea_output: 'hex',
    extra_float_digits: '1',
    statement_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    // Relocating a refused row relies on scans that start at the first page.
    synchronize_seqscans: 'off',
    lock_timeout: String(options.lockTimeoutMs),
    ...(options.serverVersion >= 170_000 && { transaction_timeout: '0' }),
  }
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  if (options.snapshotId !== undefined) {
    await importSnapshot(connection, options.snapshotId)
  }
  // One message, one answer: a round trip instead of a dozen.
  const statements = Object.entries(values).map(
    ([name, value]) => `SET LOCAL ${name} = ${quoteLiteral(value)}`,
  )
  await connection.query(statements.join('; '))
}

/** What PostgreSQL says when the transaction that exported the snapshot is over: its versions differ. */
const snapshotGone = ['22023', '42704', '55000']

async function importSnapshot(connection: Connection, id: string): Promise<void> {
  try {
    await connection.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(id)}`)
  } catch (error) {
    throw snapshotGone.includes(systemCode(asError(error).cause) ?? '') ? new SnapshotLost(error) : error
  }
}

/** LOCK TABLE takes tables (with their partitions) and views; the others are locked by a query without rows. */
async function lock(
  connection: Connection,
  { table, lockable }: Pick<TablePlan, 'table' | 'lockable'>,
  mode: '' | ' NOWAIT',
): Promise<void> {
  const sql = lockable
    ? `LOCK TABLE ${quoteTable(table)} IN ACCESS SHARE MODE${mode}`
    : `SELECT FROM ${quoteTable(table)} LIMIT 0`
  await connection.query(sql, [], formatTable(table))
}

/** The relation under the snapshot, with its columns. */
async function describe(connection: Connection, before: Relation): Promise<Described> {
  if (!before.lockable) await lock(connection, before, '')
  const relation = await findRelation(connection, before.table, 'locked')
  if (relation.kind !== before.kind) {
    const shown = formatTable(before.table)
    throw new JobError('failed', `${shown} was replaced by a ${relation.kind} while it was opened`, {
      field: shown,
      fix: 'run again',
    })
  }
  return { relation, catalog: await readColumns(connection, relation.oid) }
}

interface ServerFacts {
  readonly serverVersion: number
  readonly checkUtf8: boolean
}

/** Everyone may ask, unless the server's owner has taken that back. */
async function readSystemId(connection: Connection): Promise<string | undefined> {
  const sql = 'SELECT system_identifier::text AS id FROM pg_control_system()'
  const [row] = await connection.query(sql).catch(() => [])
  return row === undefined ? undefined : String(row['id'])
}

const oldestServer = 120_000

async function readServer(connection: Connection): Promise<ServerFacts> {
  const [row] = await connection.query(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS shown,
            current_setting('server_encoding') AS encoding`,
  )
  const serverVersion = Number(row?.['version'])
  if (serverVersion < oldestServer) {
    throw usageError(`PostgreSQL ${String(row?.['shown'])} is too old`, { fix: 'use PostgreSQL 12 or newer' })
  }
  return { serverVersion, checkUtf8: row?.['encoding'] === 'SQL_ASCII' }
}
