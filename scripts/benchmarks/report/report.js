// `lakejobs report` of a week of logs and a lake of web logs, beside the SQL that its numbers need, by DuckDB on the same files:
// processes measured from outside, in turn, medians. Twice: 10 users, and a million. Needs dist/.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { measured, median } from '../lake/process.js'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    rows: { type: 'string', default: '5000000' },
    events: { type: 'string', default: '2000000' },
    runs: { type: 'string', default: '5' },
  },
})
const last = '2024-09-16'
const [mostBytes, mostMegabytes] = [400_000, 300]
const main = join(import.meta.dirname, '../../../dist/main.js')
const folder = join(values.work, 'report')
mkdirSync(folder, { recursive: true })

/** What of the page comes from rows: requests by hour and class, percentiles of the most frequent urls, the users of a result. */
const queries = (web, result) => [
  `SELECT epoch_us(timestamp) // 3600000000 AS hour, status_code // 100 AS class, count(*) FROM ${web} GROUP BY ALL`,
  `SELECT url, count(*) AS requests, quantile_disc(response_time, [0.5, 0.95, 0.99]) FROM ${web} GROUP BY url
   ORDER BY requests DESC, url LIMIT 10`,
  `SELECT sum(create_count), sum(read_count), sum(update_count), sum(delete_count) FROM '${result}'`,
  `FROM '${result}' ORDER BY create_count + read_count + update_count + delete_count DESC LIMIT 20`,
]
const duck = `
const { DuckDBInstance } = await import('${import.meta.resolve('@duckdb/node-api')}')
const connection = await (await DuckDBInstance.create(':memory:')).connect()
for (const sql of process.argv.slice(1)) await connection.runAndReadAll(sql)`

const server = spawn(process.execPath, [
  join(import.meta.dirname, '../../lib/postgres-server.js'),
  join(folder, 'postgres'),
])
try {
  const env = { PATH: process.env.PATH, WAREHOUSE: join(folder, 'lake'), LAKEJOBS_LOG_LEVEL: 'warn' }
  for await (const line of createInterface(server.stdout)) {
    if (line === 'READY=1') break
    const [name, ...value] = line.split('=')
    env[name] = value.join('=')
  }
  const run = (...command) => measured(command, { env, cwd: folder })
  await run(main, 'seed', '--rows', values.rows, '--date', last)
  await run(main, 'export', '--format', 'iceberg', '--partition-by', 'day(timestamp)')
  const data = join(folder, 'lake/default/web_logs/data')
  const files = readdirSync(data, { recursive: true }).filter((name) => name.endsWith('.parquet'))
  const web = `read_parquet([${files.map((name) => `'${join(data, name)}'`).join(', ')}], hive_partitioning = false)`

  const rows = [['users', 'lakejobs report', 'its SQL', 'limit (2 x SQL + 0.5 s)', 'peak MB', 'page, KB']]
  for (const users of ['10', '1000000']) {
    const [input, output, cache] = ['input', 'output', 'cache'].map((name) => join(folder, users, name))
    const week = ['--dir', input, '--first-date', '2024-09-10', '--days', '7', '--emails', users]
    await run(main, 'generate', ...week, '--events', values.events)
    await run(main, 'aggregate', input, output, last, '--cache', cache)
    const page = join(folder, users, 'page.html')
    const places = ['--crud-input', input, '--crud-output', output, '--crud-cache', cache, '--output', page]
    const [ours, sql] = [[], []]
    for (let round = 0; round <= Number(values.runs); round++) {
      const one = await run(main, 'report', last, ...places)
      const other = await run(
        '--input-type=module',
        '--eval',
        duck,
        ...queries(web, join(output, `${last}.csv`)),
      )
      // The first one finds nothing in the system's cache.
      if (round > 0) [ours, sql].forEach((runs, index) => runs.push([one, other][index]))
    }
    const [seconds, needed] = [ours, sql].map((runs) => median(runs.map((each) => each.seconds)))
    const megabytes = Math.max(...ours.map((each) => each.megabytes))
    const bytes = statSync(page).size
    rows.push([
      ...[users, `${seconds.toFixed(2)} s`, `${needed.toFixed(2)} s`],
      `${(2 * needed + 0.5).toFixed(2)} s${seconds > 2 * needed + 0.5 ? ' TOO MUCH' : ''}`,
      `${megabytes.toFixed(0)} of ${mostMegabytes}${megabytes > mostMegabytes ? ' TOO MUCH' : ''}`,
      `${(bytes / 1000).toFixed(0)} of ${mostBytes / 1000}${bytes > mostBytes ? ' TOO MUCH' : ''}`,
    ])
  }
  process.stdout.write(rows.map((row) => `| ${row.join(' | ')} |\n`).join(''))
} finally {
  server.kill('SIGTERM')
  await once(server, 'exit')
}
