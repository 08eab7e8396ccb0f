// What looking at a table of 10,000 data files and 1,000 snapshots takes, as users run it: `inspect`, `inspect --storage` and
// `inspect --tree`, each a process of its own. A real PostgreSQL and a file:// warehouse; the data files are there, of zeros
// without room on disk. Needs dist/.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { makeLargeTable } from './large-table.js'
import { measured, median } from './process.js'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    snapshots: { type: 'string', default: '1000' },
    files: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
  },
})
const [snapshots, files, runs] = ['snapshots', 'files', 'runs'].map((name) => Number(values[name]))
const { work } = values

const main = join(import.meta.dirname, '../../../dist/main.js')
const server = spawn(process.execPath, [
  join(import.meta.dirname, '../../lib/postgres-server.js'),
  join(work, 'postgres'),
])
const env = {
  PATH: process.env.PATH,
  WAREHOUSE: join(work, 'iceberg'),
  PARQUET_LOCATION: join(work, 'parquet'),
}
for await (const line of createInterface(server.stdout)) {
  if (line === 'READY=1') break
  const [name, ...value] = line.split('=')
  env[name] = value.join('=')
}

const limits = [
  { words: ['inspect', '--table', 'web_logs'], seconds: 2 },
  { words: ['inspect', '--table', 'web_logs', '--storage'], seconds: 6 },
  { words: ['inspect', '--table', 'web_logs', '--tree'], seconds: 6 },
]
const mostMegabytes = 400

try {
  await makeLargeTable(env, `file://${work}/iceberg`, { snapshots, files })
  const results = limits.map(() => [])
  for (let run = 0; run < runs; run++)
    for (const [index, { words }] of limits.entries())
      results[index].push(await measured([main, ...words], { env }))
  const rows = limits.map(({ words, seconds: limit }, index) => {
    const seconds = median(results[index].map((one) => one.seconds))
    const megabytes = Math.max(...results[index].map((one) => one.megabytes))
    const fits = seconds <= limit && megabytes <= mostMegabytes
    return { words, seconds, limit, megabytes, fits }
  })
  const lines = rows.map(({ words, seconds, limit, megabytes, fits }) =>
    [
      `lakejobs ${words.join(' ')}`.padEnd(46),
      `${seconds.toFixed(2)} s of ${limit} s`.padEnd(16),
      `${megabytes.toFixed(0)} MB of ${mostMegabytes} MB`,
      fits ? '' : 'TOO MUCH',
    ]
      .join('  ')
      .trimEnd(),
  )
  process.stdout.write(
    [`${files} files, ${snapshots} snapshots; medians of ${runs}`, ...lines, ''].join('\n'),
  )
  if (rows.some(({ fits }) => !fits)) process.exitCode = 1
} finally {
  server.kill('SIGTERM')
  await once(server, 'exit')
}
