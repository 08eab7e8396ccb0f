// `lakejobs sql` beside DuckDB's read_parquet on the same files, from the same package: processes measured from outside,
// in turn, medians. What a query costs is its time less its start: for DuckDB that of `select 1`, for ours that of `select 1` and, as
// `lake-verify` has it, that of a table without rows, which is looked up, planned and asked as well. Needs dist/.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { measured, median } from './process.js'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    rows: { type: 'string', default: '5000000' },
    runs: { type: 'string', default: '5' },
  },
})
const main = join(import.meta.dirname, '../../../dist/main.js')
const folder = join(values.work, 'lake-sql')
mkdirSync(folder, { recursive: true })

/** A query with `TABLE` in the place of its table. */
const queries = {
  'count(*)': 'select count(*) from TABLE',
  'group by, all rows': 'select url, count(*), avg(response_time) from TABLE group by url order by 2 desc',
  'every column':
    'select max(timestamp), sum(user_id), max(url), sum(response_time), max(status_code) from TABLE',
  'one day of seven': "select count(*), sum(user_id) from TABLE where timestamp >= '2024-09-16'",
}

const duck = `
const { DuckDBInstance } = await import('${import.meta.resolve('@duckdb/node-api')}')
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run("SET TimeZone = 'UTC'")
console.log((await connection.runAndReadAll(process.argv[1])).getRowsJson())`

const server = spawn(process.execPath, [
  join(import.meta.dirname, '../../lib/postgres-server.js'),
  join(folder, 'postgres'),
])
try {
  const env = { PATH: process.env.PATH, WAREHOUSE: join(folder, 'lake') }
  for await (const line of createInterface(server.stdout)) {
    if (line === 'READY=1') break
    const [name, ...value] = line.split('=')
    env[name] = value.join('=')
  }
  const run = (...command) => measured(command, { env, cwd: folder })
  await run(main, 'seed', '--rows', values.rows, '--date', '2024-09-16')
  await run(main, 'export', '--format', 'iceberg', '--partition-by', 'day(timestamp)')
  const { POSTGRES_HOST: host, POSTGRES_PORT: port, POSTGRES_DB: database } = env
  const { POSTGRES_USER: user, POSTGRES_PASSWORD: password } = env
  const client = new pg.Client({ host, port: Number(port), database, user, password })
  await client.connect()
  await client.query('CREATE TABLE nothing AS SELECT * FROM web_logs LIMIT 0')
  await client.end()
  await run(main, 'export', '--format', 'iceberg', '--table', 'public.nothing', '--mode', 'full')
  const data = join(folder, 'lake/default/web_logs/data')
  const files = readdirSync(data, { recursive: true }).filter((name) => name.endsWith('.parquet'))
  const list = files.map((name) => `'${join(data, name)}'`).join(', ')
  const parquet = `read_parquet([${list}], hive_partitioning = false)`

  const ours = (sql) => run(main, 'sql', sql, '--log-level', 'warn')
  const theirs = (sql) => run('--input-type=module', '--eval', duck, sql)
  const rows = [
    [
      ...['', 'lakejobs sql', 'select 1', 'table without rows', 'DuckDB', 'its start', 'query beside query'],
      ...['of the limit', 'of that from select 1 on', 'peak MB'],
    ],
  ]
  for (const [name, sql] of Object.entries(queries)) {
    const times = [[], [], [], [], []]
    for (let round = 0; round < Number(values.runs); round++) {
      times[0].push(await ours(sql.replace('TABLE', 'web_logs')))
      times[1].push(await ours('select 1'))
      times[2].push(await ours('select count(*) from nothing'))
      times[3].push(await theirs(sql.replace('TABLE', parquet)))
      times[4].push(await theirs('select 1'))
    }
    const [all, bare, start, other, otherStart] = times.map((runs) =>
      median(runs.map(({ seconds }) => seconds * 1000)),
    )
    const peak = Math.max(...times[0].map(({ megabytes }) => megabytes))
    const ratio = (all - start) / (other - otherStart)
    const limits = [start, bare].map((from) => all / (1.15 * (other - otherStart) + from))
    rows.push([
      name,
      ...[all, bare, start, other, otherStart].map((ms) => `${ms.toFixed(0)} ms`),
      ...[ratio, ...limits].map((number) => number.toFixed(2)),
      peak.toFixed(0),
    ])
  }
  process.stdout.write(rows.map((row) => `| ${row.join(' | ')} |\n`).join(''))
} finally {
  server.kill('SIGTERM')
  await once(server, 'exit')
}
