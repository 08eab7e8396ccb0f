import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect, type Connection } from '../../../jobs/postgres/connection/connect.ts'
import { openDatabase } from '../../../jobs/postgres/connection/database.ts'
import type {
  NamedFile,
  PostgresSettings,
  SslMode,
  TlsSettings,
} from '../../../jobs/postgres/connection/settings.ts'
import { copyOut } from '../../../jobs/postgres/copy/copy-out.ts'
import { createDecoder } from '../../../jobs/postgres/copy/decoder.ts'
import { createCa, pem, type IssuedCertificate, type TestCa } from './certificates.ts'
import { column, rowsOf } from '../../support/copy-stream.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

/** Roles, each with the one way that lets it in. */
const hba = `
local   all all                      trust
host    all lakejobs   127.0.0.1/32  scram-sha-256
hostssl all encrypted  127.0.0.1/32  scram-sha-256
hostnossl all clear    127.0.0.1/32  scram-sha-256
hostssl all certified  127.0.0.1/32  cert
host    all trusted    127.0.0.1/32  trust
`

let server: TestPostgres
let ca: TestCa
let otherCa: TestCa
let client: IssuedCertificate
beforeAll(async () => {
  ca = createCa('/CN=Lake CA/O=Lake')
  otherCa = createCa('/CN=Other CA')
  const dns = { subject: '/CN=not used', names: 'DNS:localhost,IP:127.0.0.1' }
  const certificates: Record<string, IssuedCertificate> = {
    right: ca.issue('right', dns),
    elsewhere: ca.issue('elsewhere', { subject: '/CN=localhost', names: 'DNS:db.example.com' }),
    expired: ca.issue('expired', { ...dns, days: [-30, -1] }),
    early: ca.issue('early', { ...dns, days: [1, 30] }),
    foreign: otherCa.issue('foreign', dns),
    selfsigned: { cert: otherCa.certificate, key: `${otherCa.folder}/ca.key` },
  }
  client = ca.issue('client', { subject: '/CN=certified' })
  server = await startPostgres()
  for (const [name, { cert, key }] of Object.entries(certificates)) {
    await server.writeFile(`${name}.crt`, pem(cert))
    await server.writeFile(`${name}.key`, pem(key))
  }
  await server.writeFile('clients.crt', pem(ca.certificate))
  await server.writeFile('pg_hba.conf', hba)
  for (const role of ['encrypted', 'clear', 'certified', 'trusted']) {
    await server.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  }
  await server.query(`ALTER SYSTEM SET ssl_ca_file = 'clients.crt'`)
  await present('right')
}, 60_000)
afterAll(async () => {
  await server.stop()
  ca.remove()
  otherCa.remove()
})

/** The certificate that the server shows from now on; undefined: it has no TLS. */
async function present(name: string | undefined): Promise<void> {
  if (name !== undefined) {
    await server.query(`ALTER SYSTEM SET ssl_cert_file = '${name}.crt'`)
    await server.query(`ALTER SYSTEM SET ssl_key_file = '${name}.key'`)
  }
  await server.query(`ALTER SYSTEM SET ssl = ${name === undefined ? 'off' : 'on'}`)
  const loaded = (): Promise<Record<string, unknown>[]> =>
    server.query('SELECT pg_conf_load_time()::text AS at')
  const [before] = await loaded()
  await server.query('SELECT pg_reload_conf()')
  while ((await loaded())[0]?.['at'] === before?.['at']) await sleep(10)
}

const named = (field: string, path: string): NamedFile => ({ field, path })
const rootCert = (): NamedFile => named('POSTGRES_SSLROOTCERT', ca.certificate)

function settings(
  user: string,
  tls: TlsSettings | SslMode,
  more: Partial<PostgresSettings> = {},
): PostgresSettings {
  const { host, port, database } = server
  return {
    ...{ host, port, database, user, password: 'secret' },
    tls: typeof tls === 'string' ? { mode: tls } : tls,
    ...more,
  }
}

const options = { prefix: 'POSTGRES' }

/** Connects and closes again; what was agreed on. */
async function agreed(given: PostgresSettings): Promise<Connection['tls']> {
  const connection = await connect(given, options)
  try {
    const [row] = await connection.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    expect(row?.['ssl']).toBe(connection.tls !== undefined)
    return connection.tls
  } finally {
    await connection.close()
  }
}

describe('sslmode', () => {
  it.each<[SslMode, 'encrypted' | 'clear', boolean | undefined]>([
    ['disable', 'clear', false],
    ['disable', 'encrypted', undefined],
    ['allow', 'clear', false],
    ['allow', 'encrypted', true],
    ['prefer', 'clear', false],
    ['prefer', 'encrypted', true],
    ['require', 'encrypted', true],
    ['require', 'clear', undefined],
  ])('%s, where the server wants it %s', async (mode, role, expected) => {
    const result = agreed(settings(role, mode))
    if (expected === undefined) await expect(result).rejects.toMatchObject({ code: 'usage' })
    else expect((await result) !== undefined).toBe(expected)
  })

  it('decides how where the server takes both', async () => {
    const modes = ['disable', 'allow', 'prefer', 'require'] as const
    const found: boolean[] = []
    for (const mode of modes) found.push((await agreed(settings('trusted', mode))) !== undefined)
    expect(found).toEqual([false, false, true, true])
  })

  it('says what was agreed on', async () => {
    expect(await agreed(settings('encrypted', { mode: 'verify-full', rootCert: rootCert() }))).toEqual({
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      subject: 'CN=not used',
      issuer: 'CN=Lake CA, O=Lake',
      validTo: new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10),
    })
  })

  it('a server without TLS is one for prefer alone', async () => {
    await present(undefined)
    try {
      expect(await agreed(settings('trusted', 'prefer'))).toBeUndefined()
      expect(await agreed(settings('trusted', 'allow'))).toBeUndefined()
      await expect(agreed(settings('trusted', 'require'))).rejects.toMatchObject({
        code: 'usage',
        field: 'POSTGRES_SSLMODE',
        message: expect.stringContaining('has no TLS') as unknown,
      })
    } finally {
      await present('right')
    }
  })
})

describe('the server’s certificate', () => {
  it.each<[certificate: string, mode: SslMode, host: string, field: string | undefined]>([
    ['right', 'verify-full', 'localhost', undefined],
    ['right', 'verify-full', '127.0.0.1', undefined],
    ['elsewhere', 'verify-ca', 'localhost', undefined],
    ['elsewhere', 'require', 'localhost', undefined],
    ['elsewhere', 'verify-full', 'localhost', 'POSTGRES_HOST'],
    ['elsewhere', 'verify-full', '127.0.0.1', 'POSTGRES_HOST'],
    ['expired', 'verify-ca', 'localhost', 'POSTGRES_SSLROOTCERT'],
    ['early', 'verify-ca', 'localhost', 'POSTGRES_SSLROOTCERT'],
    ['foreign', 'require', 'localhost', 'POSTGRES_SSLROOTCERT'],
    ['foreign', 'prefer', 'localhost', 'POSTGRES_SSLROOTCERT'],
    ['foreign', 'allow', 'localhost', 'POSTGRES_SSLROOTCERT'],
    ['selfsigned', 'verify-ca', 'localhost', 'POSTGRES_SSLROOTCERT'],
  ])('%s, with %s for %s', async (certificate, mode, host, field) => {
    await present(certificate)
    const result = agreed(settings('encrypted', { mode, rootCert: rootCert() }, { host }))
    if (field === undefined) expect(await result).toBeDefined()
    else {
      await expect(result).rejects.toMatchObject({ code: 'usage', field, fix: expect.any(String) as unknown })
      await result.catch((error: unknown) => {
        expect(String(error)).not.toContain('\n')
      })
    }
  })

  it('is not looked at without a root certificate, unless the mode asks for one', async () => {
    await present('foreign')
    expect(await agreed(settings('encrypted', 'require'))).toBeDefined()
    await expect(agreed(settings('encrypted', 'verify-ca'))).rejects.toMatchObject({
      field: 'POSTGRES_SSLROOTCERT',
    })
    const system = settings('encrypted', { mode: 'verify-full', rootCert: 'system' })
    await expect(agreed(system)).rejects.toMatchObject({ field: 'POSTGRES_SSLROOTCERT' })
  })

  it('that is wrong makes prefer try without TLS, as libpq does', async () => {
    await present('foreign')
    expect(await agreed(settings('trusted', { mode: 'prefer', rootCert: rootCert() }))).toBeUndefined()
    await present('right')
  })
})

describe('a client’s certificate', () => {
  const tls = (cert: string, key: string): TlsSettings => ({
    mode: 'require',
    cert: named('POSTGRES_SSLCERT', cert),
    key: named('POSTGRES_SSLKEY', key),
  })

  it('lets in whom it is for', async () => {
    expect(
      await agreed(settings('certified', tls(client.cert, client.key), { password: undefined })),
    ).toBeDefined()
  })

  it('that is missing, foreign, expired, or not there is named', async () => {
    const foreign = otherCa.issue('client', { subject: '/CN=certified' })
    const expired = ca.issue('old-client', { subject: '/CN=certified', days: [-9, -1] })
    const cases: [TlsSettings, string][] = [
      [{ mode: 'require' }, 'POSTGRES_SSLCERT'],
      [tls(foreign.cert, foreign.key), 'POSTGRES_SSLCERT'],
      [tls(expired.cert, expired.key), 'POSTGRES_SSLCERT'],
      [tls('/nowhere.crt', client.key), 'POSTGRES_SSLCERT'],
      [tls(client.key, client.key), 'POSTGRES_SSLCERT'],
      [tls(client.cert, foreign.key), 'POSTGRES_SSLKEY'],
      [{ ...tls(client.cert, client.key), key: undefined }, 'POSTGRES_SSLKEY'],
    ]
    for (const [given, field] of cases) {
      const result = agreed(settings('certified', given))
      await expect(result).rejects.toMatchObject({ code: 'usage', field })
      await result.catch((error: unknown) => {
        expect(String(error)).not.toContain('\n')
      })
    }
  })
})

describe('over TLS', () => {
  const columns = [column('int4', { kind: 'int' }, 'number')]
  const decoder = () =>
    createDecoder({ columns, checkUtf8: false, groupRows: 100_000, groupBytes: 1e8, maxRowBytes: 1e6 })
  const copy = (rows: number): string => `COPY (SELECT generate_series(1, ${rows})) TO STDOUT (FORMAT binary)`

  it('COPYs and statements take turns on a connection', async () => {
    const connection = await connect(settings('encrypted', 'require'), options)
    for (const rows of [0, 1, 99_999]) {
      const decoding = decoder()
      expect(await copyOut(connection, copy(rows), decoding, () => undefined, 't')).toBe(rows)
      const values =
        rows === 0 ? [] : rowsOf(decoding.take(true)!.vectors[0]!, (value) => value.readInt32LE())
      expect(values).toEqual(Array.from({ length: rows }, (_, index) => index + 1))
      expect(await connection.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    }
    await connection.close()
  })

  it('an abort in the middle of a COPY ends the statement at the server', async () => {
    const stop = new AbortController()
    const connection = await connect(settings('encrypted', 'require'), { ...options, signal: stop.signal })
    const sink = (): void => {
      stop.abort(new Error('stopped'))
    }
    await expect(copyOut(connection, copy(500_000_000), decoder(), sink, 't')).rejects.toThrow('stopped')
    const running = `SELECT FROM pg_stat_activity WHERE usename = 'encrypted' AND state = 'active'`
    for (let tries = 0; tries < 100 && (await server.query(running)).length > 0; tries++) await sleep(50)
    expect(await server.query(running)).toEqual([])
    await connection.close()
  })

  it('the catalog’s connections are encrypted, too', async () => {
    const database = await openDatabase(
      settings('encrypted', { mode: 'verify-ca', rootCert: rootCert() }),
      'ICEBERG_POSTGRES',
    )
    const ssl = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    const session = await database.connect()
    expect((await session.query(ssl)).rows).toEqual([{ ssl: true }])
    expect((await database.query(ssl)).rows).toEqual([{ ssl: true }])
    session.release()
    await database.close()
    expect(database.tls).toMatchObject({ protocol: 'TLSv1.3' })
  })
})
