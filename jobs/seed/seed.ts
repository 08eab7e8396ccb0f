import { addDays, firstDay, ordinalOf } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import { JobError, usageError } from '../errors.ts'
import { connect, type Connection } from '../postgres/connection/connect.ts'
import type { PostgresSettings } from '../postgres/connection/settings.ts'
import { copyIn } from '../postgres/copy/copy-in.ts'
import {
  beginOnDemoTable,
  claimDemoTable,
  createDemoTable,
  demoMark,
  demoTable as table,
  hasRows,
} from '../postgres/demo-table.ts'
import { fillDemoShop, makeDemoShop } from '../postgres/demo-shop.ts'
import { findRelation, readColumns } from '../postgres/source/catalog.ts'
import type { Outcome } from '../summary.ts'
import { seededColumns, seededInterval, seededTypes, webLogRows, type WebLogOptions } from './rows.ts'

export interface SeedOptions extends WebLogOptions {
  /** What happens to a table that has rows: nothing is done to it without one of the three flags. */
  readonly mode: 'refuse' | 'append' | 'replace' | 'if-empty'
  /** The caller is a demo task: only lakejobs' own table or an empty one is touched (operations-spec §2). */
  readonly demo: boolean
}

/**
 * Fills `public.web_logs`, which it creates if it is missing, in one transaction: all rows or none. Seeds of
 * one database run one after the other. Exit 2 when the table has rows and no mode allows more, or when a demo
 * would touch a table that is not lakejobs'; "nothing to do" when `if-empty` finds a row in the days.
 */
export async function seed(
  settings: PostgresSettings,
  options: SeedOptions,
  context: Pick<JobContext, 'progress' | 'signal' | 'logger' | 'touches'>,
): Promise<Outcome> {
  const { progress, signal, logger } = context
  const most = ordinalOf(options.date) - ordinalOf(firstDay) + 1
  if (options.days > most)
    throw usageError(`--days ${options.days} reaches before ${firstDay}, the first day there is`, {
      field: '--days',
      fix: `give --days ${most} or less`,
    })
  writes('web_logs', 'public')
  const connection = await connect(settings, { prefix: 'POSTGRES', signal })
  const bar = progress.start('seed', options.rows, 'rows')
  try {
    if (options.demo && (await seedShop(connection, options, logger)))
      for (const name of ['customers', 'orders', 'order_items']) writes(name, 'shop')
    await beginOnDemoTable(connection)
    await prepareTable(connection, options)
    const chunks = webLogRows(options, (count) => {
      bar.add(count)
    })
    const sql = `COPY ${table} (${seededColumns}) FROM STDIN (FORMAT binary)`
    const rows = await copyIn(connection, sql, chunks, table)
    await connection.query('COMMIT')
    const { first, end } = seededInterval(options)
    logger.info({ table, rows, from: first, to: addDays(end, -1) }, 'seeded')
    return { rows, from: first, to: addDays(end, -1) }
  } finally {
    bar.done()
    await connection.close()
  }

  function writes(name: string, schema: string): void {
    const { host, port, database } = settings
    context.touches?.({ role: 'output', kind: 'source', host, port, database, schema, table: name })
  }
}

/**
 * The demo's shop has orders of the same days, whatever becomes of the web logs; a shop of somebody's own has none of them.
 *
 * @returns whether it wrote some
 */
async function seedShop(
  connection: Connection,
  options: SeedOptions,
  logger: JobContext['logger'],
): Promise<boolean> {
  await beginOnDemoTable(connection)
  const state = await makeDemoShop(connection)
  if (state === 'foreign' || state === 'not allowed') {
    await connection.query('ROLLBACK')
    return false
  }
  const { first } = seededInterval(options)
  const orders = await fillDemoShop(connection, { first, last: options.date, seed: options.seed })
  await connection.query('COMMIT')
  if (orders > 0) logger.info({ table: 'shop.orders', rows: orders, from: first, to: options.date }, 'seeded')
  return orders > 0
}

/** Makes the table ready for the rows, or refuses. */
async function prepareTable(connection: Connection, options: SeedOptions): Promise<void> {
  await createDemoTable(connection)
  if (options.demo && (await claimDemoTable(connection)) === 'foreign') {
    throw usageError(`${table} has rows and is not lakejobs' demo table`, {
      field: 'DEMO_DATA',
      fix: `set DEMO_DATA=false; or, if its rows may be replaced, put "${demoMark}" into the table's comment`,
    })
  }
  await assertColumns(connection)
  if (options.mode === 'refuse' && (await hasRows(connection))) {
    throw usageError(`${table} has rows`, {
      field: table,
      fix: 'choose --append (more rows), --replace (only the days it fills) or --if-empty (only when those are empty)',
    })
  }
  const { first, end } = seededInterval(options)
  const inDays = `"timestamp" >= '${first} 00:00:00+00' AND "timestamp" < '${end} 00:00:00+00'`
  if (options.mode === 'if-empty' && (await hasRows(connection, inDays))) {
    throw new JobError('nothingToDo', `${table} has rows from ${first} to ${options.date}`, { field: table })
  }
  if (options.mode === 'replace') await connection.query(`DELETE FROM ${table} WHERE ${inDays}`, [], table)
}

/** Rows are sent as bytes, which another type would read as other values. */
async function assertColumns(connection: Connection): Promise<void> {
  const { oid } = await findRelation(connection, { schema: 'public', name: 'web_logs' }, 'unlocked')
  const columns = new Map((await readColumns(connection, oid)).map((column) => [column.name, column]))
  for (const [name, type] of Object.entries(seededTypes)) {
    const found = columns.get(name)
    if (type === 'text' ? found?.isText : found?.base === type) continue
    throw usageError(
      `${table} has ${found === undefined ? `no ${name}` : `${name} ${found.declared}`}, not ${type}`,
      {
        field: table,
        fix: 'rename the table, and seed makes its own; or seed another database',
      },
    )
  }
}
