import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run } from '../../support/cli.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let server: TestPostgres
let cwd: string
let log = ''

beforeAll(async () => {
  build()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-connections-'))
  server = await startPostgres({ log_connections: 'on', log_disconnections: 'on' }, (text) => (log += text))
}, 60_000)
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true })
})

const count = (pattern: RegExp): number => log.match(pattern)?.length ?? 0

it('two readers have one connection each, whatever the number of tables, and say goodbye', async () => {
  const names = ['small', 'a', 'b', 'c']
  const rows = (name: string): number => (name === 'small' ? 10 : 120_000)
  for (const name of names)
    await server.query(
      `CREATE TABLE ${name} AS SELECT n, md5(n::text) AS v FROM generate_series(1, ${rows(name)}) n`,
    )
  await server.query('ANALYZE')
  log = ''
  const ran = await run(
    ['export', '--format', 'parquet', '--connections', '2', ...names.flatMap((name) => ['--table', name])],
    {
      cwd,
      env: {
        WAREHOUSE: join(cwd, 'lake'),
        POSTGRES_HOST: server.host,
        POSTGRES_PORT: String(server.port),
        POSTGRES_DB: server.database,
        POSTGRES_USER: server.user,
        POSTGRES_PASSWORD: server.password,
      },
    },
  )
  expect(ran).toMatchObject({ exit: 0, stdout: expect.stringContaining('"rows":360010') as unknown })
  while (count(/disconnection: /g) < count(/connection authorized: /g))
    await new Promise((resolve) => setTimeout(resolve, 20))
  // The third one holds the tables and the snapshot.
  expect(count(/connection authorized: /g)).toBe(3)
  expect(log).not.toContain('unexpected EOF')
})
