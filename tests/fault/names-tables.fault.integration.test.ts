import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { parquetReadObjects } from 'hyparquet'
import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { sqlCatalog } from '../../jobs/iceberg/catalog/sql/sql.ts'
import { isLive, readManifest, readManifestList } from '../../jobs/iceberg/manifest/table-files.ts'
import { branchSnapshot, mainBranch } from '../../jobs/iceberg/metadata/metadata.ts'
import { quoteIdentifier } from '../../jobs/postgres/identifiers.ts'
import { createRandom, type Random } from '../../jobs/random.ts'
import { runsPlace } from '../../jobs/settings/runs-place.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { parsePlace } from '../../jobs/storage/place.ts'
import { s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { build, run, summaryOf } from '../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/**
 * `scripts/campaign names`: init, seed, check and export by the command line, over databases, schemas, tables, columns and
 * folders, or buckets and keys of a real MinIO, of hostile names. What the lake holds is read back by catalog, manifests and hyparquet and held against what was
 * inserted here. What a step does follows from the seed and its number alone.
 */
const seed = Number(process.env['CAMPAIGN_SEED'] ?? 1)
const steps = Number(process.env['CAMPAIGN_STEPS'] ?? 3)
const report = process.env['CAMPAIGN_REPORT']

const parts = [
  ...[
    '"',
    "'",
    '""',
    '.',
    '..',
    '#',
    '?',
    '%',
    '%20',
    '%s',
    ' ',
    '-',
    '--',
    '=',
    ',',
    ';',
    '*',
    '[1]',
    '{a,b}',
  ],
  ...['\\', '/', '$1', '${x}', '(', ')', '&', '|', '~', '`', '\t', '\n', '\x7f', '\u00e9', 'e\u0301'],
  ...[
    '\u{1F600}',
    '\u202E',
    '\uFEFF',
    's3:',
    'file:',
    'select',
    'user',
    'NULL',
    'Order',
    'a',
    'x1',
    '_',
    'metadata',
  ],
  ...['data', 'public', 'default', 'day(a)', 'x'.repeat(63), '\u00df'.repeat(31)],
]
const nameBy = (random: Random, refused: RegExp): string => {
  for (;;) {
    const name = Array.from({ length: 1 + random.below(4) }, () => parts[random.below(parts.length)]!).join(
      '',
    )
    // PostgreSQL cuts names at 63 bytes, with a notice.
    if (Buffer.byteLength(name) <= 63 && !refused.test(name)) return name
  }
}
const never = /(?!)/
/** No folder of one level has these names. */
const noFolder = /[/]|^\.*$/
/** What no key has (parsePlace refuses it), and what MinIO, which keeps objects as files, does not take. */
const noKey = /^\/|\/\/|\/$|(^|\/)\.\.?(\/|$)/

/** 3 to 63 of a to z, digits, hyphens and dots: all that a bucket's name may be. */
function bucketBy(random: Random, step: number): string {
  const pieces = ['a', '0', '7', 'lake', 'a-b', 'a--b', 'a.b', '1.2', 's3', 'data', 'null', 'x'.repeat(40)]
  const count = 1 + random.below(3)
  const name = Array.from({ length: count }, () => pieces[random.below(pieces.length)]!).join(
    ['', '-', '.'][random.below(3)],
  )
  return `${name.slice(0, 57)}${['', '-', '.'][random.below(3)]}x${step}`.replaceAll(/[-.]*\.[-.]*/g, '.')
}

let server: TestPostgres
let minio: Minio
let root: string
beforeAll(async () => {
  build()
  ;[server, minio] = await Promise.all([startPostgres(), startMinio()])
  root = await mkdtemp(join(tmpdir(), 'lakejobs-names-tables-'))
}, 120_000)
afterAll(async () => {
  await Promise.all([server.stop(), minio.stop()])
  await rm(root, { recursive: true, force: true })
})

const rowsOf = async (bytes: Buffer): Promise<Record<string, unknown>[]> => {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  return parquetReadObjects({ file })
}
/** Rows in the order of their first column, each as pairs of name and value. hyparquet drops a U+FEFF that begins a name. */
const listed = (rows: readonly Record<string, unknown>[], id: string): string[] =>
  rows
    .map((row) => Object.entries(row).map(([name, value]) => [name.replace(/^\uFEFF/, ''), String(value)]))
    .sort(
      (a, b) =>
        Number(a.find(([name]) => name === id.replace(/^\uFEFF/, ''))![1]) -
        Number(b.find(([name]) => name === id.replace(/^\uFEFF/, ''))![1]),
    )
    .map((row) => JSON.stringify(row))

it(`${steps} steps of seed ${seed}, over tables`, async () => {
  const said: Record<string, number> = {}
  const failed: string[] = []
  for (let step = 0; step < steps; step++) {
    const random = createRandom(seed, `names of tables ${step}`)
    const base = join(root, String(step))
    let [warehouse, parquet] = ['w', 'p'].map((kind) => join(base, kind, nameBy(random, noFolder))) as [
      string,
      string,
    ]
    let database = nameBy(random, never)
    while (Buffer.byteLength(database) > 56) database = database.slice(0, -1)
    database += ` ${step}`
    const [schema, table, id, text] = [
      nameBy(random, /^pg_/),
      ...[0, 1, 2].map(() => nameBy(random, never)),
    ] as [string, string, string, string]
    const columns = [id, text === id ? `${text.slice(0, 20)}2` : text] as const
    const named = random.below(2) === 0 ? undefined : `default.t${step}`
    if (random.below(3) === 0) {
      const bucket = bucketBy(random, step)
      ;[warehouse, parquet] = ['w', 'p'].map((kind) => `s3://${bucket}/${kind}/${nameBy(random, noKey)}`) as [
        string,
        string,
      ]
    }
    const plan = JSON.stringify({ step, warehouse, parquet, database, schema, table, columns, named })
    let outcome: string
    try {
      await mkdir(base, { recursive: true })
      const admin = new pg.Client({ ...server })
      await admin.connect()
      await admin.query(`CREATE DATABASE ${quoteIdentifier(database)}`)
      await admin.end()
      const client = new pg.Client({ ...server, database })
      await client.connect()
      const [schemaSql, tableSql, idSql, textSql] = [schema, table, ...columns].map(quoteIdentifier)
      await client.query(`
        CREATE SCHEMA IF NOT EXISTS ${schemaSql};
        CREATE TABLE ${schemaSql}.${tableSql} (${idSql} bigint, ${textSql} text);
        INSERT INTO ${schemaSql}.${tableSql} SELECT i, 'v' || i FROM generate_series(1, 20) i;
        ANALYZE ${schemaSql}.${tableSql}`)
      await client.end()
      const pool = new pg.Pool({ ...server, database, max: 2 })
      pool.on('error', () => undefined)
      try {
        outcome = await exported(
          { step, base, warehouse, parquet, database, schema, table, columns, named },
          pool,
        )
      } finally {
        await pool.end()
      }
    } catch (error) {
      outcome = 'failed'
      failed.push(`${plan}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      await rm(base, { recursive: true, force: true })
    }
    said[outcome] = (said[outcome] ?? 0) + 1
    if (report !== undefined)
      appendFileSync(
        report,
        `${plan}: ${failed.at(-1)?.startsWith(plan) ? failed.at(-1)!.slice(plan.length) : outcome}\n`,
      )
  }
  process.stderr.write(`${JSON.stringify(said)}\n`)
  expect(failed).toEqual([])
}, 3_600_000)

interface Step {
  readonly step: number
  readonly base: string
  readonly warehouse: string
  readonly parquet: string
  readonly database: string
  readonly schema: string
  readonly table: string
  readonly columns: readonly [string, string]
  readonly named: string | undefined
}

/** Runs the jobs of a step; resolves to how it ended, throws where it ended wrongly. */
async function exported(of: Step, pool: pg.Pool): Promise<string> {
  const { step, base, warehouse, parquet, database, schema, table, columns, named } = of
  const login = (prefix: string): Record<string, string> => ({
    [`${prefix}_HOST`]: server.host,
    [`${prefix}_PORT`]: String(server.port),
    [`${prefix}_DB`]: database,
    [`${prefix}_USER`]: server.user,
    [`${prefix}_PASSWORD`]: server.password,
  })
  const options = {
    cwd: base,
    env: {
      ...login('POSTGRES'),
      ...login('ICEBERG_POSTGRES'),
      WAREHOUSE: warehouse,
      PARQUET_LOCATION: parquet,
      ...storeEnvironment(minio),
      S3_CREATE_BUCKET: 'true',
    },
  }
  const inStore = warehouse.startsWith('s3://')
  if (inStore) expect(['init', summaryOf(await run(['init'], options))]).toMatchObject(['init', { exit: 0 }])
  const source = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
  const pair = named === undefined ? source : `${source}=${named}`
  if (step % 4 === 0) {
    expect(['init', summaryOf(await run(['init'], options))]).toMatchObject(['init', { exit: 0 }])
    const words = ['seed', '--rows', '7', '--days', '1', '--date', '2024-09-16', '--replace']
    expect(['seed', summaryOf(await run(words, options))]).toMatchObject(['seed', { exit: 0, rows: 7 }])
    expect(['check', summaryOf(await run(['check', `--table=${pair}`], options)).exit]).toEqual([
      'check',
      expect.any(Number),
    ])
  }
  let target = pair
  let ran = summaryOf(await run(['export', `--table=${target}`], options))
  let refused = ''
  if (ran.exit === 2 && named === undefined) {
    // What cannot be a folder's or a namespace's name is refused, with the flag that gives it another.
    expect(ran.error?.message).toContain('cannot be the name of a folder')
    refused = 'refused: no folder'
    target = `${source}=default.t${step}`
    ran = summaryOf(await run(['export', `--table=${target}`], options))
  }
  expect(ran).toMatchObject({ exit: 0, tables: [{ status: 'ok', rows: 20 }] })
  const expected = Array.from({ length: 20 }, (_, i) => ({ [columns[0]]: i + 1, [columns[1]]: `v${i + 1}` }))

  const io = inStore ? s3FileIO({ ...minio, region: 'us-east-1' }) : localFileIO()
  const catalog = sqlCatalog('local', pool, parsePlace(warehouse, 'WAREHOUSE', '/'), {
    now: () => new Date(),
    uuid: randomUUID,
    sleep: () => Promise.resolve(),
    openIO: () => Promise.resolve(io),
  })
  const { rows: tables } = await pool.query<{ table_namespace: string; table_name: string }>(
    `SELECT table_namespace, table_name FROM iceberg_tables`,
  )
  expect(tables).toHaveLength(1)
  const { metadata } = await catalog.load({
    namespace: tables[0]!.table_namespace.split('.'),
    name: tables[0]!.table_name,
  })
  const rows: Record<string, unknown>[] = []
  for (const manifest of await readManifestList(io, branchSnapshot(metadata, mainBranch)))
    for (const { dataFile } of (await readManifest(io, metadata, manifest)).filter(isLive))
      rows.push(...(await rowsOf(await io.read(dataFile.filePath))))
  expect(listed(rows, columns[0])).toEqual(listed(expected, columns[0]))

  const kept = inStore ? warehouse.split('/', 3).join('/') : `file://${base}`
  const files: string[] = []
  for await (const { location } of io.list(kept)) files.push(location)
  expect(inStore ? await readdir(base) : []).toEqual([])
  const plainFiles = files.filter((location) => location.startsWith(`${parsePlace(parquet, '', '/')}/`))
  expect(plainFiles).toHaveLength(1)
  expect(plainFiles[0]).toMatch(/\.parquet$/)
  expect(listed(await rowsOf(await io.read(plainFiles[0]!)), columns[0])).toEqual(
    listed(expected, columns[0]),
  )
  // Below the places that the names lead to, and nowhere else.
  const places = [warehouse, parquet, runsPlace({ WAREHOUSE: warehouse })].map(
    (place) => `${parsePlace(place, '', '/')}/`,
  )
  expect(files.filter((location) => !places.some((place) => location.startsWith(place)))).toEqual([])
  const outcome = refused === '' ? 'exported' : refused
  return inStore ? `${outcome}, in the store` : outcome
}
