import { JobError, asError, systemCode, usageError } from '../errors.ts'
import { connect, type Connection, type ConnectOptions, type PostgresSettings } from './connect.ts'
import { SnapshotLost } from './errors.ts'
import { formatTable, quoteLiteral, quoteTable, type TableName } from './identifiers.ts'
import { findRelation, type Relation, type RelationKind } from './source/catalog.ts'
import { planTable, type TablePlan, type TableRequest } from './source/plan.ts'

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
  readonly prefix: string
  readonly server: ServerFacts
  /** Each table as it was found, or why it cannot be read. */
  readonly found: readonly (Relation | Error)[]
}

/** One table of the request: its plan, or why it cannot be read (the others can). */
export type PlannedTable =
  | { readonly table: TableName; readonly plan: TablePlan }
  | { readonly table: TableName; readonly error: Error }

/** What a reader in any thread needs to see the same instant. Plain data. */
export interface SnapshotAccess {
  readonly settings: PostgresSettings
  readonly prefix: string
  readonly snapshotId: string
  readonly rowSecurity: boolean
  readonly serverVersion: number
  readonly checkUtf8: boolean
}

export interface Source {
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
    const found: (Relation | Error)[] = []
    for (const table of tables) found.push(await settle(findRelation(connection, table, 'unlocked')))
    return { connection, prefix: options.prefix, server, found }
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
  { connection, prefix, server, found }: SourceConnection,
  requests: readonly TableRequest[],
  options: SourceOptions,
): Promise<Source> {
  try {
    const { rowSecurity, lockTimeoutMs } = options
    await begin(connection, { ...server, rowSecurity, lockTimeoutMs, encoding: 'UTF8' })
    const locked: (Relation | Error)[] = []
    for (const relation of found) {
      locked.push(relation instanceof Error ? relation : await lockOrError(connection, relation))
    }
    const [snapshot] = await connection.query(
      `SELECT pg_export_snapshot() AS id,
              to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time`,
    )
    const tables: PlannedTable[] = []
    for (const [index, request] of requests.entries()) {
      const relation = locked[index]!
      const planned =
        relation instanceof Error
          ? relation
          : await isolated(connection, () => plan(connection, relation, request, { ...server, ...options }))
      tables.push({
        table: request.table,
        ...(planned instanceof Error ? { error: planned } : { plan: planned }),
      })
    }
    return {
      sourceTime: String(snapshot?.['time']),
      access: {
        settings: connection.settings,
        prefix,
        snapshotId: String(snapshot?.['id']),
        rowSecurity: options.rowSecurity,
        ...server,
      },
      tables,
      close: () => connection.close(),
    }
  } catch (error) {
    await connection.close()
    throw error
  }
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
  plan: Pick<TablePlan, 'table' | 'kind'>,
): Promise<void> {
  const failed = await isolated(connection, () => lock(connection, plan, ' NOWAIT'))
  if (failed instanceof Error) throw failed
}

/** Materialized views and foreign tables cannot be locked beforehand; their COPY waits no longer than this. */
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
  { table, kind }: { readonly table: TableName; readonly kind: RelationKind },
  mode: '' | ' NOWAIT',
): Promise<void> {
  const lockable = kind === 'table' || kind === 'partitioned' || kind === 'view'
  const sql = lockable
    ? `LOCK TABLE ${quoteTable(table)} IN ACCESS SHARE MODE${mode}`
    : `SELECT FROM ${quoteTable(table)} LIMIT 0`
  await connection.query(sql, [], formatTable(table))
}

/** What cannot be locked by LOCK is left to the planning query: a SELECT here would take the snapshot. */
async function lockOrError(connection: Connection, relation: Relation): Promise<Relation | Error> {
  if (relation.kind === 'materialized view' || relation.kind === 'foreign table') return relation
  const failed = await isolated(connection, () => lock(connection, relation, ''))
  return failed instanceof Error ? failed : relation
}

async function plan(
  connection: Connection,
  before: Relation,
  request: TableRequest,
  options: ServerFacts & Pick<SourceOptions, 'workers' | 'rowSecurity'>,
): Promise<TablePlan> {
  if (before.kind === 'materialized view' || before.kind === 'foreign table')
    await lock(connection, before, '')
  const relation = await findRelation(connection, request.table, 'locked')
  if (relation.kind !== before.kind) {
    const shown = formatTable(request.table)
    throw new JobError('failed', `${shown} was replaced by a ${relation.kind} while it was opened`, {
      field: shown,
      fix: 'run again',
    })
  }
  return await planTable(connection, relation, request, {
    ...options,
    tidRangeScan: options.serverVersion >= 140_000,
  })
}

/** Runs `work` so that its failure is a value and leaves the transaction usable. */
async function isolated<T>(connection: Connection, work: () => Promise<T>): Promise<T | Error> {
  await connection.query('SAVEPOINT attempt')
  const result = await settle(work())
  if (result instanceof Error && !(result instanceof JobError)) throw result
  if (result instanceof Error) await connection.query('ROLLBACK TO SAVEPOINT attempt')
  // Also after the rollback: inside a savepoint no snapshot can be exported.
  await connection.query('RELEASE SAVEPOINT attempt')
  return result
}

const settle = <T>(work: Promise<T>): Promise<T | Error> => work.catch((error: unknown) => asError(error))

interface ServerFacts {
  readonly serverVersion: number
  readonly checkUtf8: boolean
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
