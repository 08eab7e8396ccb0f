// What a commit costs in a table with a long history beside a small one, and how many commits eight writers of one
// table make in a second. In this process, against a real PostgreSQL and a file:// warehouse; needs dist/.
import { randomBytes, randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parseMetadata, metadataBytes } from '../../../dist/modules/iceberg/metadata/metadata-json.js'
import { sqlCatalog } from '../../../dist/modules/iceberg/catalog/sql/sql.js'
import { commitSnapshot } from '../../../dist/modules/iceberg/snapshot/commit.js'
import { partitionSpec } from '../../../dist/modules/iceberg/partition/partition-spec.js'
import { toSingleValue } from '../../../dist/modules/iceberg/schema/single-value.js'
import { parsePartitionExpression } from '../../../dist/modules/iceberg/partition/transforms.js'
import { openDatabase } from '../../../dist/modules/postgres/connection/database.js'
import { localFileIO } from '../../../dist/modules/storage/local/local.js'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    snapshots: { type: 'string', default: '1000' },
    files: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '5' },
    commits: { type: 'string', default: '8' },
    writers: { type: 'string', default: '8' },
  },
})
const [snapshots, files, runs, commits, writers] = ['snapshots', 'files', 'runs', 'commits', 'writers'].map(
  (name) => Number(values[name]),
)

const server = spawn(process.execPath, [
  join(import.meta.dirname, '../../lib/postgres-server.js'),
  join(values.work, 'postgres'),
])
const env = {}
for await (const line of createInterface(server.stdout)) {
  if (line === 'READY=1') break
  const [name, ...value] = line.split('=')
  env[name] = value.join('=')
}
const settings = {
  host: env.ICEBERG_POSTGRES_HOST,
  port: Number(env.ICEBERG_POSTGRES_PORT),
  database: env.ICEBERG_POSTGRES_DB,
  user: env.ICEBERG_POSTGRES_USER,
  password: env.ICEBERG_POSTGRES_PASSWORD,
}

const io = localFileIO()
const effects = {
  now: () => new Date(),
  uuid: randomUUID,
  randomBytes,
  random: Math.random,
  sleep,
  openIO: () => Promise.resolve(io),
}
const databases = []
/** What a process of its own would have: its connections, and nothing seen yet. */
const newCatalog = async () => {
  const database = await openDatabase(settings, 'ICEBERG_POSTGRES')
  databases.push(database)
  return sqlCatalog('local', database, `file://${values.work}/iceberg`, effects)
}

const schema = {
  type: 'struct',
  'schema-id': 0,
  fields: ['timestamp timestamptz', 'user_id int', 'url string', 'response_time int', 'status_code int'].map(
    (field, index) => ({
      id: index + 1,
      name: field.split(' ')[0],
      required: false,
      type: field.split(' ')[1],
    }),
  ),
}
const spec = partitionSpec(schema, [parsePartitionExpression('day(timestamp)')])
const fieldIds = [1, 2, 3, 4, 5]
const microsPerDay = 86_400_000_000n
const type = { kind: 'timestamptz' }
let number = 0
const dataFile = (table, day) => ({
  content: 0,
  filePath: `${table.metadata.location}/data/timestamp_day=${day}/${String(++number).padStart(5, '0')}-0-${randomUUID()}-00001.parquet`,
  fileFormat: 'PARQUET',
  specId: 0,
  partition: [day],
  recordCount: 100_000,
  fileSizeInBytes: 1_234_567,
  columnSizes: new Map(fieldIds.map((id) => [id, 200_000])),
  valueCounts: new Map(fieldIds.map((id) => [id, 100_000])),
  nullValueCounts: new Map(fieldIds.map((id) => [id, 0])),
  lowerBounds: new Map(fieldIds.map((id) => [id, toSingleValue(type, BigInt(day) * microsPerDay)])),
  upperBounds: new Map(fieldIds.map((id) => [id, toSingleValue(type, BigInt(day + 1) * microsPerDay - 1n)])),
  splitOffsets: [4],
  sortOrderId: 0,
})
/** As an export says it. */
const summary = () => ({
  'lakejobs.run-id': randomUUID(),
  'lakejobs.source': 'public.web_logs',
  'lakejobs.source-snapshot-time': new Date().toISOString(),
  'lakejobs.scope': '2024-09-16/2024-09-16',
  'lakejobs.fingerprint': `1;2024-09-16:100000:0,0,0,0,0:${randomBytes(16).toString('hex')}`,
})
const request = (table, partial) => ({
  startingSnapshotId: table.metadata.refs.main?.['snapshot-id'],
  branch: 'main',
  operation: 'append',
  addFiles: [],
  summary: summary(),
  tableUpdates: [],
  tableRequirements: [],
  ...partial,
})
const commit = async (catalog, table, partial) => {
  const result = await commitSnapshot(catalog, table, request(table, partial), effects)
  if (result.kind !== 'committed') throw new Error(result.kind)
  return result
}
const overwrite = (table, day) => {
  const filter = {
    kind: 'time-ranges',
    columnId: 1,
    columnName: 'timestamp',
    columnType: type,
    ranges: [{ from: BigInt(day) * microsPerDay, to: BigInt(day + 1) * microsPerDay }],
  }
  return {
    operation: 'overwrite',
    addFiles: [dataFile(table, day)],
    removeFiles: { kind: 'rows', filter },
    conflictFilter: filter,
  }
}

/** A table of `snapshotCount` snapshots that each appended a day; metadata files behind the current one are removed. */
async function makeTable(name, snapshotCount, fileCount) {
  const catalog = await newCatalog()
  const staged = await catalog.stageCreate(identifier(name), { schema, spec })
  let table = await catalog.create(staged, [])
  for (let day = 0; day < snapshotCount; day++) {
    const previous = table.metadataLocation
    const addFiles = Array.from({ length: fileCount / snapshotCount }, () => dataFile(table, day))
    table = (await commit(catalog, table, { addFiles })).table
    await rm(previous.slice('file://'.length))
  }
}
const identifier = (name) => ({ namespace: ['bench'], name })

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1]
async function timed(work) {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { wall: performance.now() - started, cpu: (user + system) / 1000 }
}

/** One measurement of each kind of commit; the day replaced is another one each time. */
const kinds = {
  'append, table loaded before': async (name) => {
    const catalog = await newCatalog()
    const table = await catalog.load(identifier(name))
    return timed(() => commit(catalog, table, { addFiles: [dataFile(table, 5000)] }))
  },
  'replace a day, table loaded before': async (name) => {
    const catalog = await newCatalog()
    const table = await catalog.load(identifier(name))
    return timed(() => commit(catalog, table, overwrite(table, 0)))
  },
  'load, then replace a day': async (name) => {
    const catalog = await newCatalog()
    await catalog.listNamespaces() // the first statement looks at the catalog's tables
    return timed(async () => {
      const table = await catalog.load(identifier(name))
      await commit(catalog, table, overwrite(table, 0))
    })
  },
}

async function measureCommits() {
  await (await newCatalog()).createNamespace(['bench'])
  await makeTable('small', 1, 10)
  await makeTable('large', snapshots, files)
  const tables = ['small', 'large']
  for (const [kind, measure] of Object.entries(kinds)) {
    const medians = { small: [], large: [] }
    const cpus = { small: [], large: [] }
    // The first run is not counted.
    for (let run = 0; run <= runs; run++) {
      const walls = { small: [], large: [] }
      const works = { small: [], large: [] }
      for (let count = 0; count < commits; count++) {
        for (const name of tables) {
          const { wall, cpu } = await measure(name)
          walls[name].push(wall)
          works[name].push(cpu)
        }
        await Promise.all(databases.splice(0).map((database) => database.close()))
      }
      if (run === 0) continue
      for (const name of tables) {
        medians[name].push(median(walls[name]))
        cpus[name].push(median(works[name]))
      }
    }
    const [small, large] = tables.map((name) => median(medians[name]))
    const [smallCpu, largeCpu] = tables.map((name) => median(cpus[name]))
    print(kind, small, large, smallCpu, largeCpu)
  }
}

const ms = (value) => value.toFixed(1)
const print = (kind, small, large, smallCpu, largeCpu) => {
  process.stdout.write(
    `| ${kind} | ${ms(small)} | ${ms(large)} | ${(large / small).toFixed(2)} | ${ms(smallCpu)} | ${ms(largeCpu)} |\n`,
  )
}

/** Metadata of the large table, in MB a second. */
async function measureMetadata() {
  const { metadataLocation } = await (await newCatalog()).load(identifier('large'))
  const text = (await io.read(metadataLocation)).toString()
  const rate = (work) => {
    const times = Array.from({ length: 21 }, () => {
      const started = performance.now()
      work()
      return performance.now() - started
    })
    return (text.length / 1000 / median(times)).toFixed(0)
  }
  const parsed = parseMetadata(text, metadataLocation)
  process.stdout.write(
    `\nmetadata of ${(text.length / 1e6).toFixed(2)} MB: parsed at ${rate(() => parseMetadata(text, metadataLocation))} MB/s, ` +
      `written at ${rate(() => metadataBytes(parsed))} MB/s\n`,
  )
}

/** All writers append to one table at once, each on connections of its own. */
async function measureWriters() {
  const each = 25
  await makeTable('shared', 1, 10)
  const catalogs = await Promise.all(Array.from({ length: writers }, () => newCatalog()))
  let attempts = 0
  const { wall } = await timed(() =>
    Promise.all(
      catalogs.map(async (catalog) => {
        for (let count = 0; count < each; count++) {
          const table = await catalog.load(identifier('shared'))
          const result = await commit(catalog, table, { addFiles: [dataFile(table, count)] })
          attempts += result.attempts
        }
      }),
    ),
  )
  const { metadata } = await catalogs[0].load(identifier('shared'))
  const landed = metadata.snapshots.length - 1
  if (landed !== writers * each) throw new Error(`${landed} of ${writers * each} commits landed`)
  process.stdout.write(
    `${writers} concurrent writers of one table: ${(landed / (wall / 1000)).toFixed(1)} commits a second, ` +
      `${(attempts / landed).toFixed(2)} attempts a commit\n`,
  )
}

try {
  process.stdout.write(
    `medians of ${runs} runs of ${commits} commits; small: 1 snapshot, 10 files; large: ${snapshots} snapshots, ${files} files\n\n`,
  )
  process.stdout.write('| commit | small, ms | large, ms | ratio | small, CPU ms | large, CPU ms |\n')
  process.stdout.write('| --- | --- | --- | --- | --- | --- |\n')
  await measureCommits()
  await measureMetadata()
  await measureWriters()
} finally {
  await Promise.all(databases.map((database) => database.close()))
  server.kill('SIGTERM')
  await once(server, 'exit')
}
