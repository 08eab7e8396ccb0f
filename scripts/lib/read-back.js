// Reads what an export wrote, with another engine than wrote it: DuckDB over the plain Parquet file and over the data
// files of the Iceberg table's current snapshot. Fails when their rows differ from PostgreSQL's.
import { DuckDBInstance } from '@duckdb/node-api'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openCatalogs } from '../../dist/modules/settings/catalogs.js'
import { openStore, place, postgresSettings, s3Settings } from '../../dist/modules/settings/settings.js'
import { branchSnapshot } from '../../dist/modules/iceberg/metadata/metadata.js'
import { isLive, readManifest, readManifestList } from '../../dist/modules/iceberg/manifest/table-files.js'
import { connect } from '../../dist/modules/postgres/connection/connect.js'

const { env } = process
const context = { env, now: () => new Date(), signal: new AbortController().signal }
const folder = mkdtempSync(join(tmpdir(), 'lakejobs-read-back-'))
const { catalog, close } = await openCatalogs(context, { iceberg: true, dryRun: true, versionHint: false })
try {
  const duckdb = await (await DuckDBInstance.create()).connect()
  const count = async (files) => {
    const paths = files.map((file) => `'${file}'`).join(', ')
    const reader = await duckdb.runAndReadAll(
      `SELECT count(*)::INT, min("timestamp")::VARCHAR, max("timestamp")::VARCHAR, count(DISTINCT url)::INT
       FROM read_parquet([${paths}])`,
    )
    return reader.getRows()[0]
  }
  /** DuckDB opens local files: those of an object store are fetched first. */
  const fetched = async (io, location) => {
    const path = join(folder, basename(location))
    await writeFile(path, await io.read(location))
    return path
  }

  const source = await connect(postgresSettings(env, 'POSTGRES'), { prefix: 'POSTGRES' })
  const [{ rows }] = await source.query('SELECT count(*)::int AS rows FROM public.web_logs')
  await source.close()

  const parquet = `${place(env.PARQUET_LOCATION, 'PARQUET_LOCATION')}/web_logs/web_logs.parquet`
  const plain = await count([await fetched(await openStore(parquet, s3Settings(env)), parquet)])

  const table = await catalog.load({ namespace: ['default'], name: 'web_logs' })
  const snapshot = branchSnapshot(table.metadata, 'main')
  const files = []
  for (const manifest of await readManifestList(table.io, snapshot)) {
    for (const { dataFile } of (await readManifest(table.io, table.metadata, manifest)).filter(isLive)) {
      files.push(await fetched(table.io, dataFile.filePath))
    }
  }
  const iceberg = await count(files)

  const line = (name, [total, first, last, urls]) =>
    `${name.padEnd(10)} ${total} rows, ${first} … ${last}, ${urls} urls\n`
  process.stdout.write(
    `${'PostgreSQL'.padEnd(10)} ${rows} rows\n${line('Parquet', plain)}${line('Iceberg', iceberg)}`,
  )
  process.stdout.write(`Iceberg's metadata: ${table.metadataLocation}\n`)
  if (plain[0] !== rows || iceberg.join() !== plain.join()) {
    throw new Error('what was read back is not what was exported')
  }
} finally {
  await close()
  rmSync(folder, { recursive: true })
}
