import { afterAll, beforeAll, expect, it } from '@jest/globals'
import pg from 'pg'
import { sqlCatalog } from '../../../../jobs/iceberg/catalog/sql/sql.ts'
import { CommitFailedError } from '../../../../jobs/iceberg/errors.ts'
import { memoryFileIO } from '../../../../jobs/storage/memory.ts'
import { startPostgres, type TestPostgres } from '../../../support/postgres.ts'
import { emptyTable, testEffects, type Lake } from '../../tables.ts'

let server: TestPostgres
let pool: pg.Pool
beforeAll(async () => {
  server = await startPostgres({ default_transaction_isolation: 'repeatable read' })
  pool = new pg.Pool({ ...server, max: 4 })
  pool.on('error', () => undefined)
}, 60_000)
afterAll(async () => {
  await pool.end()
  await server.stop()
})

it('a race that is lost above read committed is a commit that came second, as it is under read committed', async () => {
  const clock: Lake['clock'] = { ms: Date.parse('2024-05-01T00:00:00Z'), waits: [] }
  const io = memoryFileIO(() => new Date(clock.ms))
  const effects = testEffects(io, clock)
  const catalog = sqlCatalog('local', pool, 'memory://lake', effects)
  const { identifier, metadataLocation } = await emptyTable({ catalog, io, effects, clock })
  const other = await pool.connect()
  try {
    await other.query('BEGIN')
    await other.query('UPDATE iceberg_tables SET metadata_location = metadata_location')
    const commit = catalog.commit(identifier, [], [{ action: 'set-properties', updates: { a: 'b' } }])
    const blocked = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
    while ((await server.query(blocked)).length === 0);
    await other.query('COMMIT')
    // The pointer is where it was: sent again, the change is made.
    const { metadata, metadataLocation: now } = await commit
    expect(metadata.properties).toMatchObject({ a: 'b' })
    expect(now).not.toBe(metadataLocation)

    await other.query('BEGIN')
    await other.query(`UPDATE iceberg_tables SET metadata_location = 'memory://lake/elsewhere.json'`)
    const second = catalog.commit(identifier, [], [{ action: 'set-properties', updates: { a: 'c' } }])
    while ((await server.query(blocked)).length === 0);
    await other.query('COMMIT')
    await expect(second).rejects.toThrow(CommitFailedError)
  } finally {
    other.release(true)
  }
})
