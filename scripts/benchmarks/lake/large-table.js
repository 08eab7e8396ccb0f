// A table of many snapshots and data files, made by the modules of dist/; the data files are there, of zeros without room on disk.
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlCatalog } from '../../../dist/modules/iceberg/catalog/sql/sql.js'
import { partitionSpec } from '../../../dist/modules/iceberg/partition/partition-spec.js'
import { parsePartitionExpression } from '../../../dist/modules/iceberg/partition/transforms.js'
import { toSingleValue } from '../../../dist/modules/iceberg/schema/single-value.js'
import { commitSnapshot } from '../../../dist/modules/iceberg/snapshot/commit.js'
import { openDatabase } from '../../../dist/modules/postgres/connection/database.js'
import { localFileIO } from '../../../dist/modules/storage/local/local.js'

const fields = ['timestamp timestamptz', 'user_id int', 'url string', 'response_time int', 'status_code int']
const schema = {
  type: 'struct',
  'schema-id': 0,
  fields: fields.map((field, index) => {
    const [name, type] = field.split(' ')
    return { id: index + 1, name, required: false, type }
  }),
}
const ids = schema.fields.map(({ id }) => id)
const microsPerDay = 86_400_000_000n
const bound = (micros) => toSingleValue({ kind: 'timestamptz' }, micros)
const bytes = 1_234_567
let number = 0

/** A file of the table, which is there. */
async function dataFile({ metadata: { location } }) {
  const day = 19_000 + (number++ % 1000)
  const filePath = `${location}/data/timestamp_day=${day}/${String(number).padStart(5, '0')}-0-${randomUUID()}-00001.parquet`
  const path = filePath.replace('file://', '')
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'w')
  await file.truncate(bytes)
  await file.close()
  return {
    content: 0,
    filePath,
    fileFormat: 'PARQUET',
    specId: 0,
    partition: [day],
    recordCount: 100_000,
    fileSizeInBytes: bytes,
    columnSizes: new Map(ids.map((id) => [id, 200_000])),
    valueCounts: new Map(ids.map((id) => [id, 100_000])),
    nullValueCounts: new Map(ids.map((id) => [id, 0])),
    lowerBounds: new Map([[1, bound(BigInt(day) * microsPerDay)]]),
    upperBounds: new Map([[1, bound(BigInt(day + 1) * microsPerDay - 1n)]]),
    splitOffsets: [4],
    sortOrderId: 0,
  }
}

/**
 * The table `default.web_logs` of a new catalog of that name, whose last snapshots each added a file. `replaced`: one more snapshot has a file in
 * the place of all. Returns where its metadata is.
 */
export async function makeLargeTable(env, warehouse, { snapshots, files, replaced = false, name = 'local' }) {
  const io = localFileIO()
  const effects = {
    now: () => new Date(),
    uuid: randomUUID,
    randomBytes,
    random: Math.random,
    sleep,
    openIO: () => Promise.resolve(io),
  }
  const database = await openDatabase(
    {
      host: env.ICEBERG_POSTGRES_HOST,
      port: Number(env.ICEBERG_POSTGRES_PORT),
      database: env.ICEBERG_POSTGRES_DB,
      user: env.ICEBERG_POSTGRES_USER,
      password: env.ICEBERG_POSTGRES_PASSWORD,
    },
    'ICEBERG_POSTGRES',
  )
  try {
    const catalog = sqlCatalog(name, database, warehouse, effects)
    await catalog.createNamespace(['default'])
    const spec = partitionSpec(schema, [parsePartitionExpression('day(timestamp)')])
    const identifier = { namespace: ['default'], name: 'web_logs' }
    const commit = async (table, partial) => {
      const request = {
        startingSnapshotId: table.metadata.refs.main?.['snapshot-id'],
        branch: 'main',
        summary: { 'lakejobs.run-id': randomUUID(), 'lakejobs.source': 'public.web_logs' },
        tableUpdates: [],
        tableRequirements: [],
        ...partial,
      }
      return (await commitSnapshot(catalog, table, request, effects)).table
    }
    let table = await catalog.create(await catalog.stageCreate(identifier, { schema, spec }), [])
    for (let left = snapshots; left > 0; left--) {
      const count = left === snapshots ? files - snapshots + 1 : 1
      const addFiles = []
      for (let file = 0; file < count; file++) addFiles.push(await dataFile(table))
      table = await commit(table, { operation: 'append', addFiles })
    }
    if (replaced)
      table = await commit(table, {
        operation: 'overwrite',
        addFiles: [await dataFile(table)],
        removeFiles: { kind: 'rows', filter: { kind: 'true' } },
      })
    return table.metadataLocation
  } finally {
    await database.close()
  }
}
