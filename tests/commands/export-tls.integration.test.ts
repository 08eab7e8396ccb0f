import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCa, pem, type TestCa } from '../postgres/connection/certificates.ts'
import { filesIn, queryFiles } from '../export/lake.ts'
import { build, run, start, summaryOf } from '../support/cli.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/** Two servers, each with a CA of its own, that let the role of the jobs in by TLS alone; all goes through a relay. */
const hba = `
local   all all                    trust
host    all lakejobs 127.0.0.1/32  scram-sha-256
hostssl all exporter 127.0.0.1/32  scram-sha-256
`

/** Passes bytes on; notes with which request (its second word) each connection begins. */
interface Relay {
  readonly port: number
  readonly requests: number[]
  stop(): Promise<void>
}

async function startRelay(port: number): Promise<Relay> {
  const requests: number[] = []
  const sockets = new Set<Socket>()
  const relay = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port })
    client.once('data', (bytes: Buffer) => requests.push(bytes.readInt32BE(4)))
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined).on('close', () => to.destroy())
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return {
    port: (relay.address() as AddressInfo).port,
    requests,
    async stop() {
      for (const socket of sockets) socket.destroy()
      relay.close()
      await once(relay, 'close')
    },
  }
}

interface Secured {
  readonly server: TestPostgres
  readonly ca: TestCa
  readonly relay: Relay
  readonly log: string[]
}

async function startSecured(name: string): Promise<Secured> {
  const ca = createCa(`/CN=CA of ${name}`)
  const { cert, key } = ca.issue('server', { subject: '/CN=not used', names: 'DNS:localhost' })
  const log: string[] = []
  const server = await startPostgres({}, (text) => log.push(text))
  await server.writeFile('server.crt', pem(cert))
  await server.writeFile('server.key', pem(key))
  await server.writeFile('pg_hba.conf', hba)
  await server.query(`CREATE ROLE exporter LOGIN PASSWORD 'secret'`)
  await server.query('ALTER SYSTEM SET ssl = on')
  await server.query('SELECT pg_reload_conf()')
  return { server, ca, relay: await startRelay(server.port), log }
}

let source: Secured
let catalog: Secured
let cwd: string
beforeAll(async () => {
  build()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-export-tls-'))
  await mkdir(join(cwd, 'temporary'))
  ;[source, catalog] = await Promise.all([startSecured('the source'), startSecured('the catalog')])
  await catalog.server.query(`GRANT CREATE ON SCHEMA public TO exporter`)
  // Reading this table as that role takes its time, page by page: half a minute with one connection.
  await source.server.query(`
    CREATE TABLE fast AS SELECT i AS id, 'row ' || i AS text FROM generate_series(1, 200000) i;
    CREATE TABLE slow AS SELECT * FROM fast;
    CREATE FUNCTION waits(id int) RETURNS bool LANGUAGE sql VOLATILE AS
      $$ SELECT CASE WHEN id % 200 = 0 THEN pg_sleep(0.03) IS NOT NULL ELSE true END $$;
    ALTER TABLE slow ENABLE ROW LEVEL SECURITY;
    CREATE POLICY slowly ON slow USING (waits(id));
    GRANT SELECT ON fast, slow TO exporter`)
  await source.server.query('VACUUM ANALYZE')
}, 60_000)
afterAll(async () => {
  for (const { server, ca, relay } of [source, catalog]) {
    await relay.stop()
    await server.stop()
    ca.remove()
  }
  await rm(cwd, { recursive: true })
})

beforeEach(() => {
  for (const { relay } of [source, catalog]) relay.requests.length = 0
})

const login = (prefix: string, { server, ca, relay }: Secured): Record<string, string> => ({
  [`${prefix}_HOST`]: 'localhost',
  [`${prefix}_PORT`]: String(relay.port),
  [`${prefix}_USER`]: 'exporter',
  [`${prefix}_PASSWORD`]: 'secret',
  [`${prefix}_DB`]: server.database,
  [`${prefix}_SSLMODE`]: 'verify-full',
  [`${prefix}_SSLROOTCERT`]: ca.certificate,
})
const options = (env: Readonly<Record<string, string>> = {}) => ({
  cwd,
  env: {
    ...login('POSTGRES', source),
    ...login('ICEBERG_POSTGRES', catalog),
    WAREHOUSE: `${cwd}/iceberg`,
    PARQUET_LOCATION: `${cwd}/parquet`,
    TMPDIR: `${cwd}/temporary`,
    ...env,
  },
})
const words = (table: string): string[] => ['export', '--table', table, '--connections', '3']

const sessions = ({ server }: Secured): Promise<Record<string, unknown>[]> =>
  server.query(`SELECT state, query FROM pg_stat_activity WHERE usename = 'exporter'`)
const until = async (holds: () => Promise<boolean>): Promise<boolean> => {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return true
    await sleep(50)
  }
  return false
}
/** SSLRequest: what every connection has to begin with. */
const sslRequest = 80_877_103

describe('an export whose source and catalog take TLS alone, verified', () => {
  it('reads with several connections what is there, all of them encrypted', async () => {
    const ran = await run(words('fast'), options())
    expect(summaryOf(ran)).toMatchObject({ exit: 0, rows: 200_000 })
    const [files] = await queryFiles(
      [`${cwd}/parquet/fast/fast.parquet`],
      'SELECT count(*), sum(id), sum(length(text)) FROM FILES',
    )
    const [row] = await source.server.query(
      'SELECT count(*)::text AS n, sum(id)::text AS ids, sum(length(text))::text AS lengths FROM fast',
    )
    expect(files).toEqual(Object.values(row!))
    // One that coordinates and reads, and two that read.
    expect(source.relay.requests.length).toBeGreaterThanOrEqual(3)
    expect(new Set([...source.relay.requests, ...catalog.relay.requests])).toEqual(new Set([sslRequest]))
  })

  it.each([
    ['POSTGRES_SSLROOTCERT', () => catalog.ca.certificate],
    ['ICEBERG_POSTGRES_SSLROOTCERT', () => source.ca.certificate],
    ['POSTGRES_SSLMODE', () => 'disable'],
    ['ICEBERG_POSTGRES_SSLMODE', () => 'disable'],
  ])('%s of the other, or none, is refused by its name', async (field, value) => {
    const before = await filesIn(cwd)
    const ran = await run(words('fast'), options({ [field]: value() }))
    expect(summaryOf(ran)).toMatchObject({ exit: 2, error: { field } })
    expect(await filesIn(cwd)).toEqual(before)
  })

  it('SIGINT in the middle of its COPYs: exit 130, their statements end, nothing is left', async () => {
    const before = await filesIn(cwd)
    const running = start([...words('slow'), '--row-security'], options())
    const copying = `SELECT FROM pg_stat_progress_copy JOIN pg_stat_ssl USING (pid) WHERE ssl AND tuples_processed > 0`
    expect(await until(async () => (await source.server.query(copying)).length >= 2)).toBe(true)
    running.child.kill('SIGINT')
    const sent = Date.now()
    expect(summaryOf(await running.ended)).toMatchObject({ exit: 130, error: { code: 'interrupted' } })
    expect(Date.now() - sent).toBeLessThan(10_000)
    expect(await until(async () => (await sessions(source)).length === 0)).toBe(true)
    expect(await until(async () => (await sessions(catalog)).length === 0)).toBe(true)
    // Not because the connection was gone: they were asked to, over TLS, too.
    const cancelled = (): number =>
      source.log.join('').split('canceling statement due to user request').length - 1
    expect(await until(() => Promise.resolve(cancelled() >= 2))).toBe(true)
    expect(new Set(source.relay.requests)).toEqual(new Set([sslRequest]))
    expect(await filesIn(cwd)).toEqual(before)
    expect(await readdir(join(cwd, 'temporary'))).toEqual([])
    const tables = await catalog.server.query('SELECT table_name FROM iceberg_tables')
    expect(tables).toEqual([{ table_name: 'fast' }])
  })
})
