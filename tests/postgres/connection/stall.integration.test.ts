import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Connection } from '../../../jobs/postgres/connection/connect.ts'
import { copyOut } from '../../../jobs/postgres/copy/copy-out.ts'
import { createDecoder } from '../../../jobs/postgres/copy/decoder.ts'
import { column } from '../../support/copy-stream.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
}, 60_000)
afterAll(() => server.stop())

const options = { prefix: 'POSTGRES' }
const stallTimeoutMs = 800
const columns = [column('int4', { kind: 'int' }, 'number')]
const decoder = () =>
  createDecoder({ columns, checkUtf8: false, groupRows: 100_000, groupBytes: 1e8, maxRowBytes: 1e6 })
const copy = (rows: number): string => `COPY (SELECT generate_series(1, ${rows})) TO STDOUT (FORMAT binary)`
const stalled = {
  code: 'failed',
  field: '--stall-timeout',
  message: expect.stringContaining('has sent nothing') as unknown,
}

async function stopBackend(connection: Connection): Promise<() => void> {
  const [row] = await connection.query('SELECT pg_backend_pid() AS pid')
  const pid = Number(row?.['pid'])
  return () => {
    process.kill(pid, 'SIGSTOP')
    // Ended with the server otherwise, which waits for it.
    void sleep(stallTimeoutMs * 3).then(() => process.kill(pid, 'SIGCONT'))
  }
}

it('a COPY whose server stops in the middle ends', async () => {
  const connection = await connect({ ...server, stallTimeoutMs }, options)
  const stop = await stopBackend(connection)
  let groups = 0
  const sink = (): void => {
    if (++groups === 1) stop()
  }
  await expect(copyOut(connection, copy(100_000_000), decoder(), sink, 't')).rejects.toMatchObject(stalled)
  await connection.close()
})

it('a statement without an answer ends', async () => {
  const impatient = await connect({ ...server, stallTimeoutMs: 200 }, { ...options })
  const sleeping = 'SELECT pg_sleep(60)'
  await expect(impatient.query(sleeping)).rejects.toMatchObject(stalled)
  await impatient.close()
})

it('a reader that takes its time is no stall', async () => {
  const connection = await connect({ ...server, stallTimeoutMs }, options)
  // Long before the server has sent everything: otherwise nobody would miss the connection.
  let groups = 0
  const sink = async (): Promise<void> => {
    if (++groups === 1) await sleep(stallTimeoutMs * 2)
  }
  expect(await copyOut(connection, copy(3_000_000), decoder(), sink, 't')).toBe(3_000_000)
  await connection.close()
})
