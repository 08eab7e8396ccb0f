// Daily exports of two months, with maintenance once a week: what the lake takes of its store, and what of it nothing needs. As
// users run it: `export` and `maintain all --delete`, each a process of its own, upon a real PostgreSQL and a file:// warehouse.
// One table is written by day, twice and with the day before, one anew each day with some rows changed; every tenth day their
// exports are killed first. Fails where a table takes more than 1.3 × its live bytes and what retention keeps. Needs dist/.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    days: { type: 'string', default: '60' },
    rows: { type: 'string', default: '20000' },
    /** Snapshots of each table that stay: a week of daily ones. */
    keep: { type: 'string', default: '7' },
  },
})
const [days, rows] = [Number(values.days), Number(values.rows)]
const main = join(import.meta.dirname, '../../../dist/main.js')
const folder = join(values.work, 'lake-growth')
mkdirSync(folder, { recursive: true })
const server = spawn(process.execPath, [
  join(import.meta.dirname, '../../lib/postgres-server.js'),
  join(folder, 'postgres'),
])
const env = {
  PATH: process.env.PATH,
  WAREHOUSE: join(folder, 'lake'),
  LAKEJOBS_FORMAT: 'iceberg',
  LAKEJOBS_LOG_LEVEL: 'warn',
}

function lakejobs(...words) {
  const done = spawnSync(process.execPath, [main, ...words], { env, cwd: folder, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${words.join(' ')}: ${done.stderr}`)
  return JSON.parse(done.stdout)
}
/** An export that is killed after a while, wherever it is then. */
async function killed(afterMs, ...words) {
  const child = spawn(process.execPath, [main, ...words], { env, cwd: folder, stdio: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
  await once(child, 'exit')
  clearTimeout(timer)
}
const dayText = (day) => new Date(Date.UTC(2024, 6, 1 + day)).toISOString().slice(0, 10)
const few = [
  ...['--older-than', '0', '--keep', values.keep, '--keep-before-shrink', '0'],
  // No export runs beside it, and all the days are of one hour.
  ...['--delete', '--orphan-age', '0', '--allow-young-orphans', '--max-orphans', '100%'],
]
const tables = ['web_logs', 'users']

/** Bytes of each table's folders, by what they are for. */
const storage = () =>
  Object.fromEntries(
    tables.map((table) => {
      const [report] = lakejobs('inspect', '--table', table, '--storage', '--json').tables
      return [table, report.storage]
    }),
  )
const MB = (bytes) => (bytes / 1e6).toFixed(1)

try {
  for await (const line of createInterface(server.stdout)) {
    if (line === 'READY=1') break
    const [name, ...value] = line.split('=')
    env[name] = value.join('=')
  }
  const { default: pg } = await import('pg')
  const connection = {
    ...{ host: env.POSTGRES_HOST, port: Number(env.POSTGRES_PORT), database: env.POSTGRES_DB },
    ...{ user: env.POSTGRES_USER, password: env.POSTGRES_PASSWORD },
  }
  const client = new pg.Client(connection)
  await client.connect()
  await client.query(`
    SET timezone = 'UTC';
    CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text, response_time int, status_code int);
    CREATE TABLE users (id int PRIMARY KEY, email text, visits int, seen timestamptz);
    INSERT INTO users SELECT i, md5(i::text) || '@example.com', 0, timestamptz '2024-07-01' FROM generate_series(1, ${rows}) i`)
  const written = Object.fromEntries(tables.map((table) => [table, 0]))
  const lines = [
    [
      'day',
      'table',
      'live',
      'kept',
      'takes',
      'before',
      'nothing needs',
      'of the limit',
      'written until then',
    ],
  ]
  for (let day = 0; day < days; day++) {
    const date = dayText(day)
    await client.query(`
      INSERT INTO web_logs SELECT timestamptz '${date}' + i * interval '1 day' / ${rows}, i % 500, '/' || md5((i % 997)::text), i % 900, 200
      FROM generate_series(0, ${rows - 1}) i;
      UPDATE users SET visits = visits + 1, seen = '${date}' WHERE id % 20 = ${day % 20};
      ANALYZE`)
    const byDay = ['export', '--table', 'web_logs', '--partition-by', 'day(timestamp)', '--date', date]
    const whole = ['export', '--table', 'users', '--mode', 'full', '--skip-unchanged']
    if (day % 10 === 9) {
      await killed(900 + 50 * day, ...byDay, '--force')
      await killed(900 + 50 * day, ...whole, '--force')
    }
    // The day itself twice, as a rerun does, and the day before once more.
    for (const words of [byDay, [...byDay, '--force', '--lookback', '1'], whole])
      for (const { table, bytes } of lakejobs(...words).tables ?? [])
        written[table.replace(/.*\./, '')] += bytes ?? 0
    if (day % 7 !== 6 && day !== days - 1) continue
    const before = storage()
    lakejobs('maintain', 'all', ...few)
    const after = storage()
    for (const table of tables) {
      const { live, kept, bytes, unreferenced } = after[table]
      const share = bytes / (1.3 * live.bytes + kept.bytes)
      const numbers = [live.bytes, kept.bytes, bytes, before[table].bytes, unreferenced.bytes].map(MB)
      lines.push([date, table, ...numbers, share.toFixed(2), MB(written[table])])
      if (share > 1) throw new Error(`${table} takes ${bytes} bytes: ${JSON.stringify(after[table])}`)
    }
  }
  await client.end()
  for (const { table, status } of lakejobs('verify', '--against', 'source').tables) {
    if (status !== 'ok') throw new Error(`${table}: ${status}`)
  }
  // Live bytes are no more than those of a table that is written once.
  const after = storage()
  for (const table of tables) {
    const by = table === 'web_logs' ? ['--partition-by', 'day(timestamp)'] : []
    const [{ bytes }] = lakejobs(
      'export',
      '--table',
      `${table}=fresh.${table}`,
      '--mode',
      'full',
      ...by,
    ).tables
    const data = after[table].live.kinds.find(({ kind }) => kind === 'data').bytes
    lines.push(['written once', table, MB(bytes), '', '', '', '', (data / (1.3 * bytes)).toFixed(2), ''])
    if (data > 1.3 * bytes) throw new Error(`${table} has ${data} live bytes, written once it has ${bytes}`)
  }
  process.stdout.write('Megabytes.\n')
  for (const line of lines) process.stdout.write(`| ${line.join(' | ')} |\n`)
} finally {
  server.kill('SIGTERM')
  await once(server, 'exit')
}
