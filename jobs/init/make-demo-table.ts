import { connect, type PostgresSettings } from '../postgres/connect.ts'
import { beginOnDemoTable, claimDemoTable, createDemoTable, demoTable } from '../postgres/demo-table.ts'
import type { InitItem } from '../summary.ts'

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
