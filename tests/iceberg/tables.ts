import { beforeEach } from '@jest/globals'
import { randomBytes, randomUUID } from 'node:crypto'
import type { Catalog, Table, TableCreation, TableIdentifier } from '../../jobs/iceberg/catalog/catalog.ts'
import type { CatalogEffects } from '../../jobs/iceberg/catalog/stored/catalog-store.ts'
import { memoryCatalog } from '../../jobs/iceberg/catalog/memory.ts'
import type { CommitEffects } from '../../jobs/iceberg/snapshot/commit.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot, mainBranch, type TableMetadata } from '../../jobs/iceberg/metadata/metadata.ts'
import { partitionSpec } from '../../jobs/iceberg/partition/partition-spec.ts'
import type { Schema } from '../../jobs/iceberg/schema/schema.ts'
import { toSingleValue } from '../../jobs/iceberg/schema/single-value.ts'
import { commitSnapshot } from '../../jobs/iceberg/snapshot/commit.ts'
import {
  and,
  atLeast,
  lessThan,
  type Column,
  type Predicate,
} from '../../jobs/iceberg/expression/predicate.ts'
import type { FileSelection, SnapshotRequest } from '../../jobs/iceberg/snapshot/snapshot-request.ts'
import { isLive, readManifest, readManifestList } from '../../jobs/iceberg/manifest/table-files.ts'
import { parsePartitionExpression } from '../../jobs/iceberg/partition/transforms.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import { current } from '../support/current.ts'
import { deepFreeze } from './deep-freeze.ts'

/** Tables in memory for the tests of commits: the real catalog and store, a clock that tests move. */
export interface Lake {
  readonly catalog: Catalog
  readonly io: FileIO
  readonly effects: CatalogEffects & CommitEffects
  readonly clock: { ms: number; readonly waits: number[] }
}

export const webLogs: TableIdentifier = { namespace: ['default'], name: 'web_logs' }

export const webLogsSchema: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'timestamp', required: false, type: 'timestamptz' },
    { id: 2, name: 'user_id', required: false, type: 'int' },
    { id: 3, name: 'url', required: false, type: 'string' },
  ],
}

export const byDay: TableCreation = {
  schema: webLogsSchema,
  spec: partitionSpec(webLogsSchema, [parsePartitionExpression('day(timestamp)')]),
}

export function testEffects(io: FileIO, clock: Lake['clock']): Lake['effects'] {
  return {
    now: () => new Date(clock.ms),
    uuid: () => randomUUID(),
    randomBytes: (size) => randomBytes(size),
    random: () => 0.5,
    sleep: (ms) => {
      clock.waits.push(ms)
      clock.ms += ms
      return Promise.resolve()
    },
    openIO: () => Promise.resolve(io),
  }
}

export function lakeInMemory(): Lake {
  const clock = { ms: Date.parse('2024-05-01T00:00:00Z'), waits: [] }
  const io = memoryFileIO(() => new Date(clock.ms))
  const effects = testEffects(io, clock)
  return { catalog: withFrozenTables(memoryCatalog('local', 'memory://lake', effects)), io, effects, clock }
}

/**
 * The catalog with tables whose metadata cannot be changed: the text of long lists, read or written once, is remembered by
 * their elements' identity (json-lists.ts), so that a change in place would be in memory and never in a file.
 */
export function withFrozenTables(catalog: Catalog): Catalog {
  const frozen = async (table: Promise<Table>): Promise<Table> => {
    const { metadata, ...rest } = await table
    return { ...rest, metadata: deepFreeze(metadata) }
  }
  return {
    ...catalog,
    load: (...given) => frozen(catalog.load(...given)),
    create: (...given) => frozen(catalog.create(...given)),
    commit: (...given) => frozen(catalog.commit(...given)),
  }
}

/** `default.web_logs`, created and empty. */
export async function emptyTable(
  lake: Lake,
  creation: TableCreation = { schema: webLogsSchema },
): Promise<Table> {
  await lake.catalog.createNamespace(['default']).catch(() => undefined)
  return lake.catalog.create(await lake.catalog.stageCreate(webLogs, creation), [])
}

export const dayNumber = (day: string): number => Date.parse(day) / 86_400_000
export const micros = (instant: string): bigint => BigInt(Date.parse(instant)) * 1000n

let fileNumber = 0

/** A data file as a writer would describe it; `from` and `to` are the bounds of its timestamps. */
export function dataFile(
  table: Table,
  rows: { readonly count: number; readonly from?: string; readonly to?: string; readonly nulls?: number },
  partition: DataFile['partition'] = [],
): DataFile {
  const bound = (instant: string | undefined): Map<number, Uint8Array> | undefined =>
    instant === undefined
      ? undefined
      : new Map([[1, toSingleValue({ kind: 'timestamptz' }, micros(instant))]])
  const lowerBounds = bound(rows.from)
  const upperBounds = bound(rows.to)
  return {
    content: 0,
    filePath: `${table.metadata.location}/data/${String(++fileNumber).padStart(5, '0')}.parquet`,
    fileFormat: 'PARQUET',
    specId: table.metadata['default-spec-id'],
    partition,
    recordCount: rows.count,
    fileSizeInBytes: rows.count * 10,
    valueCounts: new Map([[1, rows.count]]),
    nullValueCounts: new Map([[1, rows.nulls ?? 0]]),
    ...(lowerBounds && { lowerBounds }),
    ...(upperBounds && { upperBounds }),
  }
}

/** A request upon `table` as it is; `partial` says what differs from an empty append. */
export const request = (table: Table, partial: Partial<SnapshotRequest>): SnapshotRequest => ({
  startingSnapshotId: branchSnapshot(table.metadata, mainBranch)?.['snapshot-id'],
  branch: mainBranch,
  operation: 'append',
  addFiles: [],
  summary: {},
  tableUpdates: [],
  tableRequirements: [],
  ...partial,
})

/** The current snapshot's manifests and all their entries. */
export async function contents(
  io: FileIO,
  metadata: TableMetadata,
): Promise<{ manifests: ManifestFile[]; entries: ManifestEntry[]; live: string[] }> {
  const manifests = await readManifestList(io, branchSnapshot(metadata, mainBranch))
  const entries: ManifestEntry[] = []
  for (const manifest of manifests) entries.push(...(await readManifest(io, metadata, manifest)))
  return { manifests, entries, live: entries.filter(isLive).map(({ dataFile: file }) => file.filePath) }
}

/** The rows of `days` days from `text` on, of the column `timestamp`. */
export const dayFilter = (text: string, days = 1): Predicate => {
  const timestamp: Column = { id: 1, name: 'timestamp', type: { kind: 'timestamptz' } }
  const from = micros(text)
  return and(atLeast(timestamp, from), lessThan(timestamp, from + BigInt(days) * 86_400_000_000n))
}

/** Commits what differs from an empty append, and returns the table; being superseded is an error. */
export async function commitTo(lake: Lake, table: Table, partial: Partial<SnapshotRequest>): Promise<Table> {
  const result = await commitSnapshot(lake.catalog, table, request(table, partial), lake.effects)
  if (result.kind === 'superseded') throw new Error('superseded')
  return result.table
}

/** The lake's files whose location has `part`. */
export async function namesIn(lake: Lake, part = ''): Promise<string[]> {
  const names: string[] = []
  for await (const { location } of lake.io.list('memory://lake'))
    if (location.includes(part)) names.push(location)
  return names.sort()
}

/** A lake for each test of a file, and what most of them do with it. */
export function eachWithTables(): Lake & {
  readonly commit: (table: Table, partial: Partial<SnapshotRequest>) => Promise<Table>
  readonly filesIn: (part?: string) => Promise<string[]>
} {
  let lake = lakeInMemory()
  beforeEach(() => {
    lake = lakeInMemory()
  })
  return current(() => ({
    ...lake,
    commit: (table, partial) => commitTo(lake, table, partial),
    filesIn: (part) => namesIn(lake, part),
  }))
}

export const summaryOf = (metadata: TableMetadata): Readonly<Record<string, string>> =>
  branchSnapshot(metadata, mainBranch)!.summary

export const rowsWhere = (filter: Predicate): FileSelection => ({ kind: 'rows', filter })
