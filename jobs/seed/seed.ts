import { readFile } from 'node:fs/promises'
import { addDays } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import { JobError, usageError } from '../errors.ts'
import { connect, type Connection, type PostgresSettings } from '../postgres/connect.ts'
import { copyIn } from '../postgres/copy/copy-in.ts'
import type { Outcome } from '../summary.ts'
import { seededColumns, seededInterval, webLogRows, type WebLogOptions } from './rows.ts'

export const seedModes = ['refuse', 'append', 'replace', 'if-empty'] as const

export interface SeedOptions extends WebLogOptions {
  /** What happens to a table that has rows: nothing is done to it without one of the three flags. */
  readonly mode: (typeof seedModes)[number]
  /** The caller is a demo task: only lakejobs' own table or an empty one is touched (operations-spec §2). */
  readonly demo: boolean
}

const table = 'public.web_logs'
/** In the table's comment: the table is lakejobs' demo data. As in scripts/db/init.sql. */
const mark = 'lakejobs demo data'

/** From jobs/seed as from dist/seed. */
const initSql = new URL('../../scripts/db/init.sql', import.meta.url)

/**
 * Fills `public.web_logs`, which it creates if it is missing, in one transaction: all rows or none. Seeds of
 * one database run one after the other. Exit 2 when the table has rows and no mode allows more, or when a demo
 * would touch a table that is not lakejobs'; "nothing to do" when `if-empty` finds a row in the days.
 */
export async function seed(
  settings: PostgresSettings,
  options: SeedOptions,
  { progress, signal, logger }: Pick<JobContext, 'progress' | 'signal' | 'logger'>,
): Promise<Outcome> {
  const connection = await connect(settings, { prefix: 'POSTGRES', signal })
  const bar = progress.start('seed', options.rows, 'rows')
  try {
    await connection.query('BEGIN')
    await connection.query(`SELECT pg_advisory_xact_lock(hashtext('lakejobs seed'))`)
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
}

/** Makes the table ready for the rows, or refuses. */
async function prepareTable(connection: Connection, options: SeedOptions): Promise<void> {
  await connection.query(await readFile(initSql, 'utf8'), [], table)
  const filled = await exists(connection, 'true')
  if (options.demo) await claimForDemo(connection, filled)
  if (options.mode === 'refuse' && filled) {
    throw usageError(`${table} has rows`, {
      field: table,
      fix: 'choose --append (more rows), --replace (only the days it fills) or --if-empty (only when those are empty)',
    })
  }
  const { first, end } = seededInterval(options)
  const inDays = `"timestamp" >= '${first} 00:00:00+00' AND "timestamp" < '${end} 00:00:00+00'`
  if (options.mode === 'if-empty' && (await exists(connection, inDays))) {
    throw new JobError('nothingToDo', `${table} has rows from ${first} to ${options.date}`, { field: table })
  }
  if (options.mode === 'replace') await connection.query(`DELETE FROM ${table} WHERE ${inDays}`, [], table)
}

/** Leaves a table alone that has rows and no mark; an empty one gets the mark behind its comment. */
async function claimForDemo(connection: Connection, filled: boolean): Promise<void> {
  const [row] = await connection.query(
    `SELECT coalesce(obj_description('${table}'::regclass, 'pg_class'), '') AS comment`,
  )
  const comment = String(row?.['comment'])
  if (comment.includes(mark)) return
  if (filled) {
    throw usageError(`${table} has rows and is not lakejobs' demo table`, {
      field: 'DEMO_DATA',
      fix: `set DEMO_DATA=false; or, if its rows may be replaced, put "${mark}" into the table's comment`,
    })
  }
  const marked = comment === '' ? mark : `${comment} (${mark})`
  await connection.query(`COMMENT ON TABLE ${table} IS ${connection.client.escapeLiteral(marked)}`, [], table)
}

async function exists(connection: Connection, condition: string): Promise<boolean> {
  const [row] = await connection.query(
    `SELECT EXISTS (SELECT FROM ${table} WHERE ${condition}) AS found`,
    [],
    table,
  )
  return row?.['found'] === true
}
