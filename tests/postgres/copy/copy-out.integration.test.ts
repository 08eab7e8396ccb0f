import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Connection } from '../../../jobs/postgres/connection/connect.ts'
import { copyOut } from '../../../jobs/postgres/copy/copy-out.ts'
import { createDecoder, type CopyDecoder, type RowGroup } from '../../../jobs/postgres/copy/decoder.ts'
import { flat } from '../../support/vectors.ts'
import { column, rowsOf } from '../../support/copy-stream.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let server: TestPostgres
let connection: Connection
beforeAll(async () => {
  server = await startPostgres()
}, 30_000)
afterAll(() => server.stop())
beforeEach(async () => {
  connection = await connect(server, { prefix: 'POSTGRES' })
})
afterEach(() => connection.close())

const columns = [column('int4', { kind: 'int' }, 'number'), column('text', { kind: 'string' }, 'word')]
const decoder = (): CopyDecoder =>
  createDecoder({ columns, checkUtf8: false, groupRows: 2000, groupBytes: 1e8, maxRowBytes: 1e6 })
/** 12 MB from a server that is slower than the reader: what it gets at a time is little. */
const rows = 60_500
const sql = `COPY (SELECT n, (SELECT max(md5(i::text || n)) FROM generate_series(1, 10) i) || repeat('x', 150)
  FROM generate_series(1, ${rows}) n) TO STDOUT (FORMAT binary)`

const sumOf = ({ rows: count, vectors }: RowGroup): number =>
  new Int32Array(flat(vectors[0]).data.buffer).subarray(0, count).reduce((sum, n) => sum + n, 0)

it('reads nothing more while the sink is busy, and goes on when it is not', async () => {
  const { socket } = connection.stream
  const decoding = decoder()
  let before = 0
  let sum = 0
  let groups = 0
  const sink = async (group: RowGroup): Promise<void> => {
    sum += sumOf(group)
    expect(socket.bytesRead).toBeGreaterThan(before)
    before = socket.bytesRead
    // Some leave the reader with much to catch up, after the others it has to wait for the server.
    await sleep(groups++ % 4 === 0 ? 30 : 3)
    expect(socket.bytesRead).toBe(before)
  }
  expect(await copyOut(connection, sql, decoding, sink, 't')).toBe(rows)
  const rest = decoding.take(true)!
  expect(rest.rows).toBe(500)
  expect(sum + sumOf(rest)).toBe((rows * (rows + 1)) / 2)
})

it('serves the next statement after a COPY, one after the other', async () => {
  const decoding = decoder()
  for (const [from, to] of [
    [1, 3],
    [4, 4],
    [5, 1],
  ] as const) {
    const part = `COPY (SELECT n, 'w' FROM generate_series(${from}, ${to}) n) TO STDOUT (FORMAT binary)`
    expect(await copyOut(connection, part, decoding, () => undefined, 't')).toBe(Math.max(0, to - from + 1))
    expect(await connection.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  }
  expect(rowsOf(decoding.take(true)!.vectors[0]!, (value) => value.readInt32LE())).toEqual([1, 2, 3, 4])
})

it('gives back the sink’s error as it is, and cuts the statement', async () => {
  const full = new Error('the disk is full')
  const failing = (): Promise<void> => Promise.reject(full)
  await expect(copyOut(connection, sql, decoder(), failing, 't')).rejects.toBe(full)
  await expect(connection.query('SELECT 1')).rejects.toThrow()
})
