// Maintenance of the lake beside what does the same with less to keep: processes measured from outside, in turn, medians. Each
// case says what it makes and which commands are measured; `--only` names one. `--spark` has Spark's rewrite_data_files beside
// compact, for the record. Needs dist/, and for orphans MinIO.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { randomUUID } from 'node:crypto'
import { makeLargeTable } from './large-table.js'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    rows: { type: 'string', default: '5000000' },
    runs: { type: 'string', default: '5' },
    snapshots: { type: 'string', default: '1000' },
    files: { type: 'string', default: '10000' },
    objects: { type: 'string', default: '100000' },
    only: { type: 'string' },
    /** Python of tests/interop/requirements.txt; the jars are in LAKEJOBS_SPARK_JARS. */
    spark: { type: 'string' },
  },
})
const main = join(import.meta.dirname, '../../../dist/main.js')
const folder = join(values.work, 'lake-maintain')
mkdirSync(folder, { recursive: true })
const duck = `
const { DuckDBInstance } = await import('${import.meta.resolve('@duckdb/node-api')}')
const connection = await (await DuckDBInstance.create(':memory:')).connect()
await connection.run(process.argv[1])`

/** Seconds, those of processors, and the most memory of a process, by what the kernel says of it while it runs. */
async function measure(...command) {
  return measureAs({}, ...command)
}
async function measureAs(more, ...command) {
  const started = performance.now()
  const child = spawn(process.execPath, command, {
    env: { ...env, ...more },
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let [stderr, peak, cpu] = ['', 0, 0]
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const poll = setInterval(() => {
    try {
      const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
      if (found !== null) peak = Number(found[1]) * 1024
      // Behind the name: the 12th and 13th are user and system time, in hundredths of a second.
      const times = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      if (times.length > 13) cpu = (Number(times[11]) + Number(times[12])) / 100
    } catch {
      // It has ended.
    }
  }, 20)
  const [status] = await once(child, 'exit')
  clearInterval(poll)
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
  return { seconds: (performance.now() - started) / 1000, cpu, peak }
}
const lakejobs = (...words) => lakejobsAs({}, ...words)
const lakejobsAs = (more, ...words) => {
  const all = { ...env, ...more }
  const done = spawnSync(process.execPath, [main, ...words], { env: all, cwd: folder, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${words.join(' ')}: ${done.stderr}`)
  return JSON.parse(done.stdout)
}
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

const seconds = (value) => `${value.toFixed(2)} s`
/** Medians of each command's seconds, and the most memory that it took. */
const told = (runs) =>
  Object.fromEntries(
    Object.entries(runs).map(([name, all]) => [
      name,
      {
        seconds: median(all.map((run) => run.seconds)),
        cpu: median(all.map((run) => run.cpu)),
        peak: Math.max(...all.map((run) => run.peak)),
      },
    ]),
  )
const modules = join(import.meta.dirname, '../../../dist/modules')
/** Reads a table's manifest lists and manifests, each once. */
const readManifests = `
const { readMetadataFile } = await import('${modules}/iceberg/catalog/stored/metadata-file.js')
const { readManifest, readManifestList } = await import('${modules}/iceberg/manifest/table-files.js')
const { localFileIO } = await import('${modules}/storage/local/local.js')
const { mapConcurrently } = await import('${modules}/concurrency.js')
const [io, location] = [localFileIO(), process.argv[1]]
if (location !== 'nothing') {
  const metadata = await readMetadataFile(io, location)
  const manifests = new Map()
  await mapConcurrently(metadata.snapshots, 8, async (snapshot) => {
    for (const one of await readManifestList(io, snapshot)) manifests.set(one.manifestPath, one)
  })
  await mapConcurrently([...manifests.values()], 8, (one) => readManifest(io, metadata, one))
}`
/** Lists a prefix of a bucket, and nothing else. */
const listObjects = `
const { S3Client, paginateListObjectsV2 } = await import('${import.meta.resolve('@aws-sdk/client-s3')}')
const client = new S3Client({ endpoint: process.env.S3_ENDPOINT, region: 'us-east-1', forcePathStyle: true })
let count = 0
for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: 'maintain', Prefix: process.argv[1] }))
  count += Contents.length
if (process.argv[2] !== undefined && count < Number(process.argv[2])) throw new Error('only ' + count + ' objects')`

const cases = {
  /** Many small files of one partition become one, as DuckDB reads them and writes one Parquet file: their row groups are copied. */
  compact: () => compact('compact', 'row groups copied', ['--row-group-size', '4MB']),
  /** The same of row groups that are too small to stay: they are decoded and encoded. */
  rewrite: () => compact('rewrite', 'rows rewritten', ['--row-group-rows', '90000']),
  /** All snapshots of a table but the newest expire, with all files but one, beside reading the manifests once. */
  async expire() {
    const as = { WAREHOUSE: join(folder, 'expire'), ICEBERG_CATALOG_NAME: 'expire' }
    const [snapshots, files] = [Number(values.snapshots), Number(values.files)]
    const made = { snapshots, files, replaced: true, name: 'expire' }
    const pointer = await makeLargeTable(env, `file://${as.WAREHOUSE}`, made)
    const tiny = { WAREHOUSE: join(folder, 'tiny'), ICEBERG_CATALOG_NAME: 'tiny' }
    await makeLargeTable(env, `file://${tiny.WAREHOUSE}`, { snapshots: 1, files: 1, name: 'tiny' })
    const copy = join(folder, 'expire-copy')
    // Links: nothing of a table is written to again.
    spawnSync('cp', ['-al', as.WAREHOUSE, copy])
    const words = (age, keep) => [
      ...[main, 'maintain', 'expire', '--table', 'default.web_logs', '--keep-before-shrink', '0'],
      ...['--older-than', age, '--keep', keep],
    ]
    const runs = { ours: [], plan: [], start: [], read: [], readStart: [] }
    for (let round = 0; round < Number(values.runs); round++) {
      const node = ['--input-type=module', '--eval', readManifests]
      runs.start.push(await measureAs(tiny, ...words('0', '1'), '--dry-run'))
      runs.plan.push(await measureAs(as, ...words('0', '1'), '--dry-run'))
      runs.read.push(await measure(...node, pointer))
      runs.readStart.push(await measure(...node, 'nothing'))
      runs.ours.push(await measureAs(as, ...words('0', '1')))
      const left = readdirSync(as.WAREHOUSE, { recursive: true }).filter((name) => name.endsWith('.parquet'))
      if (left.length !== 1) throw new Error(`${left.length} data files are left`)
      rmSync(as.WAREHOUSE, { recursive: true })
      spawnSync('cp', ['-al', copy, as.WAREHOUSE])
      await inCatalogs('UPDATE iceberg_tables SET metadata_location = $1 WHERE catalog_name = $2', [
        pointer,
        'expire',
      ])
    }
    const { ours, plan, read, readStart, start } = told(runs)
    const [own, bare] = [plan.seconds - start.seconds, read.seconds - readStart.seconds]
    return {
      case: `expire, ${snapshots} snapshots and ${files} files`,
      lakejobs: `${seconds(plan.seconds)}, with the deletion ${seconds(ours.seconds)}`,
      'its start': seconds(start.seconds),
      beside: `its manifests read once ${seconds(read.seconds)}, the start ${seconds(readStart.seconds)}`,
      ratio: (own / bare).toFixed(2),
      'of CPU time': cpuRatio(plan, start, read, readStart),
      'of the limit': (own / (1.2 * bare)).toFixed(2),
      memory: `${Math.round(ours.peak / 1e6)} MB`,
    }
  },
  /** Objects that nothing refers to are listed and told, beside a bare listing of the same. */
  async orphans() {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, '../../../tests/interop/support/servers.js'),
    ])
    try {
      const [line] = await once(createInterface(child.stdout), 'line')
      const store = JSON.parse(line)
      const as = {
        ...{ WAREHOUSE: 's3://maintain/iceberg', ICEBERG_CATALOG_NAME: 'orphans', S3_CREATE_BUCKET: 'true' },
        ...{ S3_ENDPOINT: store.endpoint, AWS_ACCESS_KEY_ID: store.accessKeyId },
        AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
      }
      lakejobsAs(as, 'seed', '--rows', '1000', '--date', '2024-09-16', '--append')
      lakejobsAs(as, 'export', '--format', 'iceberg', '--mode', 'full')
      const words = [
        'maintain',
        'orphans',
        '--table',
        'default.web_logs',
        '--orphan-age',
        '0',
        '--allow-young-orphans',
      ]
      const node = ['--input-type=module', '--eval', listObjects, 'iceberg/default/web_logs/']
      const runs = { ours: [], start: [], list: [], listStart: [] }
      for (let round = 0; round < Number(values.runs); round++) {
        runs.start.push(await measureAs(as, main, ...words))
        runs.listStart.push(await measureAs(as, ...node))
      }
      await putObjects(as, Number(values.objects))
      for (let round = 0; round < Number(values.runs); round++) {
        runs.ours.push(await measureAs(as, main, ...words))
        runs.list.push(await measureAs(as, ...node, values.objects))
      }
      const [{ maintained }] = lakejobsAs(as, ...words).tables
      const found = maintained.files.find(({ kind }) => kind === 'data').freed.files
      if (found !== Number(values.objects)) throw new Error(`${found} orphans are told`)
      const { ours, start, list, listStart } = told(runs)
      const [own, bare] = [ours.seconds - start.seconds, list.seconds - listStart.seconds]
      return {
        case: `orphans, ${values.objects} objects in MinIO`,
        lakejobs: seconds(ours.seconds),
        'its start': seconds(start.seconds),
        beside: `a bare listing ${seconds(list.seconds)}, its start ${seconds(listStart.seconds)}`,
        ratio: (own / bare).toFixed(2),
        'of CPU time': cpuRatio(ours, start, list, listStart),
        'of the limit': (own / (1.2 * bare)).toFixed(2),
        memory: `${Math.round(ours.peak / 1e6)} MB`,
      }
    } finally {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  },
}

async function compact(name, what, rowGroups) {
  const as = { WAREHOUSE: join(folder, name), ICEBERG_CATALOG_NAME: name }
  // For both cases; what another one added is thrown away.
  lakejobs('seed', '--rows', values.rows, '--date', '2024-09-16', '--replace')
  const small = ['--target-file-size', '2MB', ...rowGroups]
  const exported = lakejobsAs(as, 'export', '--format', 'iceberg', '--mode', 'full', ...small)
  const [{ snapshotId }] = exported.tables
  const data = join(as.WAREHOUSE, 'default/web_logs/data')
  const list = readdirSync(data, { recursive: true })
    .filter((file) => file.endsWith('.parquet'))
    .map((file) => `'${join(data, file)}'`)
  const copy = `COPY (SELECT * FROM read_parquet([${list}], hive_partitioning = false)) TO '${join(folder, 'one.parquet')}' (FORMAT parquet, COMPRESSION snappy)`
  const words = ['maintain', 'compact', '--table', 'default.web_logs']
  const back = ['maintain', 'rollback', '--table', 'default.web_logs', '--snapshot', snapshotId]
  const runs = { ours: [], start: [], theirs: [], theirStart: [] }
  for (let round = 0; round < Number(values.runs); round++) {
    runs.ours.push(await measureAs(as, main, ...words))
    lakejobsAs(as, ...back, '--allow-non-ancestor')
    runs.start.push(await measureAs(as, main, ...words, '--min-files', '99999'))
    runs.theirs.push(await measure('--input-type=module', '--eval', duck, copy))
    runs.theirStart.push(await measure('--input-type=module', '--eval', duck, 'select 1'))
    rmSync(join(folder, 'one.parquet'))
  }
  const all = told(runs)
  const { ours, start, theirs, theirStart } = all
  const spark = values.spark === undefined ? '' : `, Spark ${sparkRewrite(as.WAREHOUSE)}`
  const [own, bare] = [ours.seconds - start.seconds, theirs.seconds - theirStart.seconds]
  return {
    case: `compact, ${values.rows} rows in ${list.length} files, ${what}`,
    lakejobs: seconds(ours.seconds),
    'its start': seconds(start.seconds),
    beside: `DuckDB ${seconds(theirs.seconds)}${spark}`,
    ratio: (own / bare).toFixed(2),
    'of CPU time': cpuRatio(ours, start, theirs, theirStart),
    'of the limit': (ours.seconds / (1.5 * bare + start.seconds)).toFixed(2),
    memory: `${Math.round(ours.peak / 1e6)} MB`,
  }
}
/** The ratio of the processor time, starts aside: what a machine that has other work tells as well. */
const cpuRatio = (ours, start, theirs, theirStart) =>
  ((ours.cpu - start.cpu) / (theirs.cpu - theirStart.cpu)).toFixed(2)

/** A statement to the database of the catalogs. */
async function inCatalogs(...statement) {
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    ...{
      host: env.ICEBERG_POSTGRES_HOST,
      port: Number(env.ICEBERG_POSTGRES_PORT),
      database: env.ICEBERG_POSTGRES_DB,
    },
    ...{ user: env.ICEBERG_POSTGRES_USER, password: env.ICEBERG_POSTGRES_PASSWORD },
  })
  await client.connect()
  await client.query(...statement)
  await client.end()
}
/** Small objects below a table's data, by the names that exports give. */
async function putObjects(as, count) {
  const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const client = new S3Client({
    ...{ endpoint: as.S3_ENDPOINT, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: as.AWS_ACCESS_KEY_ID, secretAccessKey: as.AWS_SECRET_ACCESS_KEY },
  })
  let left = count
  const put = async () => {
    while (left-- > 0) {
      const Key = `iceberg/default/web_logs/data/00000-0-${randomUUID()}-00001.parquet`
      await client.send(new PutObjectCommand({ Bucket: 'maintain', Key, Body: 'x' }))
    }
  }
  await Promise.all(Array.from({ length: 32 }, put))
  client.destroy()
}
/** What Spark says of rewriting the same table, its own start left out. */
function sparkRewrite(warehouse) {
  const all = { ...env, ...{ LAKEJOBS_SPARK_JARS: process.env.LAKEJOBS_SPARK_JARS, HOME: process.env.HOME } }
  const script = join(import.meta.dirname, 'spark_rewrite.py')
  const done = spawnSync(values.spark, [script, warehouse], { env: all, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  return done.stdout.trim()
}

const server = spawn(process.execPath, [
  join(import.meta.dirname, '../../lib/postgres-server.js'),
  join(folder, 'postgres'),
])
const env = { PATH: process.env.PATH, WAREHOUSE: join(folder, 'lake') }
try {
  for await (const line of createInterface(server.stdout)) {
    if (line === 'READY=1') break
    const [name, ...value] = line.split('=')
    env[name] = value.join('=')
  }
  const done = []
  for (const [name, run] of Object.entries(cases))
    if (values.only === undefined || values.only === name) {
      done.push(await run())
      // Whoever removes files reads what all other tables need: those of the case before are none of the next one's.
      await inCatalogs('DELETE FROM iceberg_tables')
    }
  const names = Object.keys(done[0] ?? {})
  for (const row of [names, ...done.map((one) => names.map((name) => one[name]))])
    process.stdout.write(`| ${row.join(' | ')} |\n`)
} finally {
  server.kill('SIGTERM')
  await once(server, 'exit')
}
