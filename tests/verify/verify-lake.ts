import { randomBytes, randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import pino from 'pino'
import { tablePairs } from '../../jobs/export/target/names.ts'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { encodeManifestList } from '../../jobs/iceberg/manifest/manifest-list.ts'
import { fieldSummaries } from '../../jobs/iceberg/partition/partition-value.ts'
import { encodeManifest } from '../../jobs/iceberg/manifest/manifest.ts'
import { readManifest, readManifestList, specTypeOf } from '../../jobs/iceberg/manifest/table-files.ts'
import { currentSchema } from '../../jobs/iceberg/metadata/metadata.ts'
import { commitSnapshot } from '../../jobs/iceberg/snapshot/commit.ts'
import type { SnapshotRequest } from '../../jobs/iceberg/snapshot/snapshot-request.ts'
import { connectSource } from '../../jobs/postgres/snapshot.ts'
import { JobError } from '../../jobs/errors.ts'
import { outcomeOf, type Outcome, type TableSummary } from '../../jobs/summary.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import type { VerifyOptions } from '../../jobs/verify/options.ts'
import { verifyTables } from '../../jobs/verify/verify.ts'
import { currentSnapshot, type TestLake } from '../export/lake.ts'
import type { TestPostgres } from '../support/postgres.ts'

/** Three days of 100 rows each, and ten rows without a time. */
export const threeDays = `
    CREATE TABLE t (id int NOT NULL, at timestamptz, url text, price numeric(9,2), ratio float8);
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i % 3 * interval '1 day' + i * interval '1 second',
                         CASE WHEN i % 7 > 0 THEN '/a page that is longer than twelve/' || i % 7 END, i / 100.0, i / 3.0
                  FROM generate_series(1, 300) i;
    INSERT INTO t (id) SELECT i FROM generate_series(301, 310) i;
    ANALYZE t`

export type VerifyFlags = Partial<Omit<VerifyOptions, 'tables'>> & {
  readonly tables?: readonly string[] | 'managed'
}

/** `lakejobs verify` in this process. */
export function runVerify(server: TestPostgres, lake: TestLake, flags: VerifyFlags = {}): Promise<Outcome> {
  const { tables = ['public.t'], ...rest } = flags
  const { signal } = new AbortController()
  return verifyTables(
    {
      days: undefined,
      isAll: tables === 'managed',
      source: '',
      namespace: 'default',
      formats: new Set(['iceberg']),
      against: 'source',
      counts: false,
      deep: false,
      key: undefined,
      strict: false,
      rowSecurity: false,
      connections: 2,
      lockTimeoutMs: 5000,
      maxRowBytes: 2 ** 28,
      memoryLimit: 2 ** 28,
      scratch: tmpdir(),
      maxDownload: 2 ** 30,
      ...rest,
      tables: tables === 'managed' ? undefined : tablePairs(tables, 'default'),
    },
    {
      catalog: lake.catalog,
      parquetIO: localFileIO(),
      parquetLocation: `file://${lake.folder}/parquet`,
      connectSource: (names) => connectSource(server, names, { prefix: 'POSTGRES', signal }),
      hasher: undefined,
    },
    {
      runId: randomUUID(),
      now: () => new Date(),
      logger: pino({ level: 'silent' }),
      progress: { start: () => ({ add: () => undefined, done: () => undefined }) },
      during: (_, work) => work(),
      signal,
      env: {},
      originOf: () => 'default',
      optionNames: () => Promise.resolve([]),
    },
  )
}

/** Interval → result, of the first table; and the exit that comes of it. */
export async function results(
  server: TestPostgres,
  lake: TestLake,
  flags: VerifyFlags = {},
): Promise<{ readonly code: string; readonly found: Record<string, string>; readonly table: TableSummary }> {
  const { code, outcome } = await runVerify(server, lake, flags).then(
    (done) => ({ code: 'ok', outcome: done }),
    (error: unknown) => {
      if (!(error instanceof JobError)) throw error
      return { code: error.code, outcome: outcomeOf(error) }
    },
  )
  const table = outcome.tables![0]!
  const intervals = table.verified?.intervals ?? []
  return { code, found: Object.fromEntries(intervals.map((one) => [one.interval, one.result])), table }
}

/**
 * Writes the table's manifests anew, as somebody who is no writer of tables would: each data file as `change` has it. What
 * their list says of them, and the snapshot's totals, are made to fit, then as `books` has them.
 */
export async function falsify(
  lake: TestLake,
  table: Table,
  change: (file: DataFile) => DataFile,
  books: {
    readonly entry?: (entry: ManifestEntry) => ManifestEntry
    readonly listed?: (manifest: ManifestFile) => ManifestFile
    readonly totals?: Readonly<Record<string, string>>
  } = {},
): Promise<void> {
  const { io, metadata } = table
  const snapshot = currentSnapshot(table)
  const manifests: ManifestFile[] = []
  const files: DataFile[] = []
  for (const manifest of await readManifestList(io, snapshot)) {
    const { spec, type } = specTypeOf(metadata, manifest.partitionSpecId)
    const entries = (await readManifest(io, metadata, manifest)).map((entry) =>
      (books.entry ?? ((one) => one))({ ...entry, dataFile: change(entry.dataFile) }),
    )
    const kind = { schema: currentSchema(metadata), spec, partition: type, content: manifest.content }
    const bytes = await encodeManifest(kind, entries, randomBytes(16))
    await io.write(manifest.manifestPath, bytes)
    const own = entries.map(({ dataFile }) => dataFile)
    const rows = own.reduce((sum, { recordCount }) => sum + recordCount, 0)
    const isAdded = manifest.addedFilesCount > 0
    files.push(...own)
    manifests.push({
      ...manifest,
      manifestLength: bytes.length,
      ...(isAdded ? { addedRowsCount: rows } : { existingRowsCount: rows }),
      partitions: fieldSummaries(
        type,
        own.map(({ partition }) => partition),
      ),
    })
  }
  const header = {
    snapshotId: snapshot['snapshot-id'],
    parentSnapshotId: snapshot['parent-snapshot-id'],
    sequenceNumber: snapshot['sequence-number'],
  }
  const list = await encodeManifestList(
    header,
    manifests.map((one) => books.listed?.(one) ?? one),
    randomBytes(16),
  )
  await io.write(snapshot['manifest-list'], list)
  const sum = (count: (file: DataFile) => number): string =>
    String(files.reduce((total, file) => total + count(file), 0))
  const totals: Record<string, string> = {
    'total-records': sum(({ recordCount }) => recordCount),
    'total-files-size': sum(({ fileSizeInBytes }) => fileSizeInBytes),
    ...books.totals,
  }
  const place = table.metadataLocation!
  const text = (await io.read(place)).toString()
  const changed = Object.entries(totals).reduce(
    (all, [name, value]) => all.replaceAll(new RegExp(`"${name}": ?"[0-9]+"`, 'g'), `"${name}":"${value}"`),
    text,
  )
  // A catalog that has read a metadata file does not read it again.
  const other = place.replace(/-[0-9a-f]{8}-/, `-${randomBytes(4).toString('hex')}-`)
  await io.write(other, Buffer.from(changed))
  await lake.pool.query('UPDATE iceberg_tables SET metadata_location = $1 WHERE metadata_location = $2', [
    other,
    place,
  ])
}

export const commit = (
  lake: TestLake,
  table: Table,
  request: SnapshotRequest,
): ReturnType<typeof commitSnapshot> =>
  commitSnapshot(lake.catalog, table, request, {
    now: () => new Date(),
    uuid: randomUUID,
    randomBytes,
    random: Math.random,
    sleep: () => Promise.resolve(),
  })
