import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { connect } from '../../../jobs/postgres/connection/connect.ts'
import type { PasswordSource } from '../../../jobs/postgres/connection/settings.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let server: TestPostgres
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakejobs-password-'))
  await chmod(folder, 0o777)
  server = await startPostgres({ unix_socket_directories: folder })
  await server.writeFile('pg_hba.conf', 'local all lakejobs trust\nhost all all 127.0.0.1/32 scram-sha-256\n')
  await server.query('SELECT pg_reload_conf()')
}, 60_000)
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

let path: string
beforeEach(() => {
  path = join(folder, `secret-${Math.random()}`)
})

const options = { prefix: 'POSTGRES' }
async function signIn(password: PasswordSource | undefined, host = server.host): Promise<unknown> {
  const connection = await connect({ ...server, host, password }, options)
  const [row] = await connection.query('SELECT current_user AS user')
  await connection.close()
  return row?.['user']
}

it('is read from a file, at each connection', async () => {
  const file = { kind: 'file', field: 'POSTGRES_PASSWORD_FILE', path } as const
  await expect(signIn(file)).rejects.toMatchObject({ code: 'usage', field: 'POSTGRES_PASSWORD_FILE' })
  await writeFile(path, 'canary\n')
  await expect(signIn(file)).rejects.toMatchObject({
    field: 'POSTGRES_PASSWORD_FILE',
    fix: expect.stringContaining('ALTER USER') as unknown,
  })
  await writeFile(path, `${server.password}\r\n`)
  expect(await signIn(file)).toBe('lakejobs')
})

it('is printed by a command, run for each connection, whose words nobody repeats', async () => {
  const command = (line: string, env = {}): PasswordSource => ({
    kind: 'command',
    field: 'POSTGRES_PASSWORD_COMMAND',
    line,
    env: { ...env, TOKEN: server.password },
  })
  const counting = command(`echo x >> '${path}'; printf '%s\\n' "$TOKEN"`)
  expect(await signIn(counting)).toBe('lakejobs')
  expect(await signIn(counting)).toBe('lakejobs')
  expect(await readFile(path, 'utf8')).toBe('x\nx\n')
  for (const [line, code] of [
    ['echo canary; echo canary >&2; exit 3', 'failed'],
    ['no-such-command-canary', 'usage'],
    ['true', 'usage'],
    ['echo canary', 'usage'],
  ] as const) {
    const error: unknown = await signIn(command(line)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, field: 'POSTGRES_PASSWORD_COMMAND' })
    expect(JSON.stringify(error) + String(error)).not.toContain('canary')
  }
})

it('is looked up in a password file that others may not read', async () => {
  const passfile = { kind: 'passfile', field: 'PGPASSFILE', path } as const
  const escaped = server.password.replaceAll(/[\\:]/g, '\\$&')
  await writeFile(path, `127.0.0.1:${server.port}:*:lakejobs:${escaped}\n`, { mode: 0o600 })
  expect(await signIn(passfile)).toBe('lakejobs')
  await chmod(path, 0o644)
  await expect(signIn(passfile)).rejects.toMatchObject({
    message: expect.stringContaining('chmod 600') as unknown,
  })
})

it('is no fault where the server asks for none, through a Unix socket', async () => {
  expect(await signIn(undefined, folder)).toBe('lakejobs')
  await expect(signIn(undefined)).rejects.toMatchObject({ code: 'usage', field: 'POSTGRES_PASSWORD' })
  await expect(signIn(undefined, join(folder, 'nothing'))).rejects.toMatchObject({
    code: 'failed',
    field: 'POSTGRES_HOST',
    message: expect.stringContaining('.s.PGSQL.') as unknown,
  })
})
