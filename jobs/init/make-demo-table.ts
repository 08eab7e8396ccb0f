import { connect } from '../postgres/connection/connect.ts'
import type { PostgresSettings } from '../postgres/connection/settings.ts'
import { fillDemoShop, makeDemoShop } from '../postgres/demo-shop.ts'
import { beginOnDemoTable, claimDemoTable, createDemoTable, demoTable } from '../postgres/demo-table.ts'
import { addDays, type Day } from '../calendar.ts'
import type { InitItem } from '../summary.ts'

/**
 * Makes the demo's shop with the orders of the month up to `today`. A schema of that name that is somebody's own is left as it is.
 */
export async function makeShop(
  settings: PostgresSettings,
  today: Day,
  signal: AbortSignal,
): Promise<InitItem[]> {
  const connection = await connect(settings, { prefix: 'POSTGRES', signal })
  const item = 'schema shop'
  try {
    await beginOnDemoTable(connection)
    const state = await makeDemoShop(connection)
    if (state === 'foreign') return [{ item, state: 'left out', note: 'it is not demo data' }]
    if (state === 'not allowed') return [{ item, state: 'left out', note: 'the role may not create schemas' }]
    if (state === 'made') await fillDemoShop(connection, { first: addDays(today, -29), last: today, seed: 1 })
    await connection.query('COMMIT')
    return [{ item, state }]
  } finally {
    await connection.close()
  }
}

/**
 * Makes the demo table, or marks one that is empty as demo data. One with rows and without the mark is somebody's own:
 * it is left as it is, and demo tasks will refuse it.
 */
export async function makeDemoTable(settings: PostgresSettings, signal: AbortSignal): Promise<InitItem[]> {
  const connection = await connect(settings, { prefix: 'POSTGRES', signal })
  try {
    await beginOnDemoTable(connection)
    const made = await createDemoTable(connection)
    const claim = await claimDemoTable(connection)
    await connection.query('COMMIT')
    const mark = { item: `mark of ${demoTable}` }
    return [
      { item: `table ${demoTable}`, state: made ? 'made' : 'was there' },
      claim === 'foreign'
        ? { ...mark, state: 'left out', note: 'the table has rows that are not demo data' }
        : { ...mark, state: made || claim === 'marked' ? 'made' : 'was there' },
    ]
  } finally {
    await connection.close()
  }
}
