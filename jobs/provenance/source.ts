import { shellWord } from '../errors.ts'
import type { TableIdentifier } from '../iceberg/catalog/catalog.ts'

/** The table that rows were read of. What is undefined is not known: entries of version 0.1 name the table alone. */
export interface ReadSource {
  /** `schema.table`. */
  readonly table: string
  readonly database?: string | undefined
  /** `host:port`, as the run was told. */
  readonly server?: string | undefined
  /** The database cluster's own number, which its standbys share (`pg_control_system`). */
  readonly systemId?: string | undefined
  /** Demo data of lakejobs: a server made anew has it again, under another number. */
  readonly isDemo?: boolean
}

/** The source of the tables that `aggregate` makes. No table of PostgreSQL has this name (`schema.table`). */
export const crudLogs = 'CRUD logs'

/** The keys of a source's parts in a summary or footer. */
const keys = {
  table: 'lakejobs.source',
  database: 'lakejobs.database',
  server: 'lakejobs.server',
  systemId: 'lakejobs.system-id',
  isDemo: 'lakejobs.demo',
} as const

export function sourceEntries(source: ReadSource): Record<string, string> {
  const { table, database, server, systemId, isDemo = false } = source
  return {
    [keys.table]: table,
    ...(database === undefined ? {} : { [keys.database]: database }),
    ...(server === undefined ? {} : { [keys.server]: server }),
    ...(systemId === undefined ? {} : { [keys.systemId]: systemId }),
    ...(isDemo ? { [keys.isDemo]: 'true' } : {}),
  }
}

/** What `sourceEntries` made; undefined for entries of others. */
export function parseSource(entries: Readonly<Record<string, string>>): ReadSource | undefined {
  const table = entries[keys.table]
  if (table === undefined) return undefined
  return {
    table,
    database: entries[keys.database],
    server: entries[keys.server],
    systemId: entries[keys.systemId],
    ...(entries[keys.isDemo] === 'true' ? { isDemo: true } : {}),
  }
}

/**
 * Whether both are the same table, as far as is known. A server has many addresses and an address, through a tunnel, many
 * servers: so the cluster's number decides, and the address only where one of them has no number. Demo data of one name is
 * the same wherever it is.
 */
export function sameSource(a: ReadSource, b: ReadSource): boolean {
  const same = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined || one === other
  const bothDemo = a.isDemo === true && b.isDemo === true
  const sameServer =
    bothDemo ||
    (a.systemId === undefined || b.systemId === undefined
      ? same(a.server, b.server)
      : a.systemId === b.systemId)
  return a.table === b.table && same(a.database, b.database) && sameServer
}

/** For messages: `shop.orders of database app at db:5432 (cluster 7)`. */
export const printSource = ({ table, database, server, systemId }: ReadSource): string =>
  [
    table,
    database && `of database ${database}`,
    server && `at ${server}`,
    systemId && `(cluster ${systemId})`,
  ]
    .filter(Boolean)
    .join(' ')

/** What `lakejobs.yaml` exports into a table, as exports take it; undefined: it says nothing of it, and its snapshots may. */
export type SourceOf = (target: TableIdentifier) => string | undefined

/**
 * The command line that writes rows of a lake's table again; which days, what stands behind it says.
 *
 * @param source `[source/]schema.table`, as exports take it, or as a snapshot says
 */
export const writeAgain = (table: string, source: string): string =>
  source === crudLogs
    ? `lakejobs aggregate --iceberg ${shellWord(table)}`
    : `lakejobs export --table ${shellWord(`${source}=${table}`)}`
