/**
 * The work of `lakejobs aggregate --engine spark` as Spark SQL by hand, over the same Spark Connect server: `by-hand.js REMOTE` is a
 * bare `SELECT 1`, `by-hand.js REMOTE SOURCE TARGET FOLDER DAY…` reads and validates the logs, writes a sorted Parquet file of each
 * day below FOLDER, two days at once, merges them and puts the parts together as TARGET.
 */
import { build } from 'esbuild'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [remote, source, target, folder, ...days] = process.argv.slice(2)
const root = join(import.meta.dirname, '../../..')
// Beside node_modules, so that its imports are found.
const compiled = join(root, '.cache/bench-spark')
await mkdir(compiled, { recursive: true })
const contents = "export * from './session.ts'; export * from './remote.ts'"
await build({
  stdin: { contents, resolveDir: join(root, 'jobs/spark'), loader: 'ts' },
  outfile: join(compiled, 'client.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
})
await copyFile(join(root, 'jobs/spark/connect.proto'), join(compiled, 'connect.proto'))
const { openSession, parseRemote } = await import(pathToFileURL(join(compiled, 'client.js')).href)

const session = await openSession({
  remote: parseRemote(remote),
  signal: new AbortController().signal,
  patienceMs: 60_000,
})
const run = (query) => session.run({ root: { sql: { query } } })
const actions = ['create', 'read', 'update', 'delete']
const counts = actions.map((name) => `count_if(action = '${name.toUpperCase()}') AS ${name}_count`).join(', ')
const sums = actions.map((name) => `sum(${name}_count) AS ${name}_count`).join(', ')

async function countDay(day) {
  const view = `logs_${day.replaceAll('-', '_')}`
  await run(`CREATE TEMPORARY VIEW ${view} (email STRING, action STRING, timestamp STRING)
    USING csv OPTIONS (path '${source}/${day}.csv', header 'false', mode 'FAILFAST')`)
  await run(`INSERT OVERWRITE DIRECTORY '${folder}/${day}' USING parquet
    SELECT * FROM (SELECT /*+ REPARTITION(1) */ * FROM (
      SELECT email, ${counts} FROM ${view}
      WHERE length(email) > 0 AND action IN ('CREATE', 'READ', 'UPDATE', 'DELETE')
        AND try_to_timestamp(timestamp, 'yyyy-MM-dd HH:mm:ss') IS NOT NULL
      GROUP BY email)) SORT BY email`)
}

async function merge() {
  const files = days.map((day) => `SELECT * FROM parquet.\`${folder}/${day}\``).join(' UNION ALL ')
  await run(`INSERT OVERWRITE DIRECTORY '${folder}/merged' USING csv
    SELECT email, ${sums} FROM (${files}) GROUP BY email ORDER BY email`)
  const parts = (await readdir(join(folder, 'merged'))).filter((name) => name.startsWith('part-')).sort()
  const out = createWriteStream(target)
  out.write(`email,${actions.map((name) => `${name}_count`).join(',')}\n`)
  for (const part of parts) {
    for await (const chunk of createReadStream(join(folder, 'merged', part)))
      if (!out.write(chunk)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
}

try {
  await run('SELECT 1')
  if (source !== undefined) {
    await mkdir(dirname(target), { recursive: true })
    const waiting = [...days]
    const worker = async () => {
      for (let day = waiting.shift(); day !== undefined; day = waiting.shift()) await countDay(day)
    }
    await Promise.all([worker(), worker()])
    await merge()
  }
} finally {
  await session.close()
}
