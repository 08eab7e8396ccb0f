import { beforeEach } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import type { JobContext } from '../../jobs/context.ts'
import { memoryCatalog } from '../../jobs/iceberg/catalog/memory.ts'
import type { Catalog, Table, TableIdentifier } from '../../jobs/iceberg/catalog/catalog.ts'
import { branchSnapshot, type SnapshotRef } from '../../jobs/iceberg/metadata/metadata.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import type { TableUpdate } from '../../jobs/iceberg/metadata/updates.ts'
import type { SnapshotRequest } from '../../jobs/iceberg/snapshot/snapshot-request.ts'
import { nothingReached, reachableFiles } from '../../jobs/lake/reachable.ts'
import { managedProperty } from '../../jobs/provenance/managed.ts'
import { expireTable } from '../../jobs/maintain/expire.ts'
import { removeOrphans, type OrphanOptions } from '../../jobs/maintain/orphans.ts'
import { neighbourhood } from '../../jobs/maintain/ownership.ts'
import type { Retention } from '../../jobs/lake/upkeep/retention.ts'
import type { Maintained } from '../../jobs/summary.ts'
import {
  byDay,
  commitTo,
  dataFile,
  dayNumber,
  emptyTable,
  lakeInMemory,
  namesIn,
  webLogs,
  withFrozenTables,
  type Lake,
} from '../iceberg/tables.ts'
import { current } from '../support/current.ts'

export const dayMs = 86_400_000

/** A table in memory whose data files are there, and what maintenance does to it. */
export interface TestTable {
  readonly lake: Lake
  readonly table: Table
  /** Commits, an hour later each time. */
  commit(partial: Partial<SnapshotRequest>): Promise<void>
  /** A data file of a day, written. */
  file(day: string, partial?: Partial<DataFile>): Promise<DataFile>
  /** Appends one; its path. */
  add(day: string, rows?: number): Promise<string>
  remove(...paths: string[]): Promise<void>
  update(...updates: TableUpdate[]): Promise<void>
  /** Loads the table anew. */
  load(): Promise<void>
  expire(retention?: Partial<Retention>, options?: ExpireOptions): Promise<Maintained>
  orphans(options?: Partial<OrphanOptions>, catalog?: Catalog): Promise<Maintained>
  orphansOf(loaded: Table, catalog: Catalog): Promise<Maintained>
  /** Of a table as it was loaded, or through another store. */
  expireOf(loaded: Table, catalog: Catalog): Promise<Maintained>
  /** As another process, which has read nothing yet. */
  reopen(): Promise<void>
  /** An empty lake and table, in the middle of a test. */
  reset(): Promise<void>
  /** Appends a file of the unpartitioned table, with rows from one time to another. */
  mixed(from: string, to: string): Promise<DataFile>
  /** Another table with a data file of this one. */
  otherWith(identifier: TableIdentifier, file: DataFile): Promise<Table>
  files(part?: string): Promise<string[]>
  /** Files that are needed and not there; there and not needed. */
  lost(): Promise<{ readonly missing: string[]; readonly orphans: string[] }>
}

interface ExpireOptions {
  readonly dryRun?: boolean
  readonly catalog?: Catalog
  readonly context?: Partial<JobContext>
}

export const jobContext = (lake: Lake, partial: Partial<JobContext> = {}): JobContext => ({
  runId: randomUUID(),
  now: () => new Date(lake.clock.ms),
  logger: pino({ level: 'silent' }),
  progress: { start: () => ({ add: () => undefined, done: () => undefined }) },
  during: (_, work) => work(),
  signal: new AbortController().signal,
  env: {},
  originOf: () => 'default',
  optionNames: () => Promise.resolve([]),
  ...partial,
})

/** Nothing but the heads of refs stays. */
export const headsOnly: Retention = { olderThanMs: 0, keep: 1, keepBeforeShrinkMs: 0 }

async function makeTable(): Promise<TestTable> {
  let lake = lakeInMemory()
  let table = await emptyTable(lake, { ...byDay, properties: { [managedProperty]: 'true' } })
  const orphansOf = (loaded: Table, catalog: Catalog, options: Partial<OrphanOptions>): Promise<Maintained> =>
    removeOrphans(
      loaded,
      { ageMs: 3 * dayMs, maxShare: 1, isDelete: true, ...options },
      { catalog, neighbours: neighbourhood(catalog) },
      jobContext(lake),
    )
  const test: TestTable = {
    get lake() {
      return lake
    },
    get table() {
      return table
    },
    async commit(partial) {
      lake.clock.ms += 3_600_000
      table = await commitTo(lake, table, partial)
    },
    async file(day, partial = {}) {
      const file = { ...dataFile(table, { count: 5 }, [dayNumber(day)]), ...partial }
      await lake.io.write(file.filePath, Buffer.alloc(file.fileSizeInBytes))
      return file
    },
    async add(day, rows = 5) {
      const file = await test.file(day, { recordCount: rows })
      await test.commit({ addFiles: [file] })
      return file.filePath
    },
    remove: (...paths) =>
      test.commit({ operation: 'delete', removeFiles: { kind: 'paths', paths: new Set(paths) } }),
    async update(...updates) {
      lake.clock.ms += 3_600_000
      table = await lake.catalog.commit(webLogs, [], updates)
    },
    async load() {
      table = await lake.catalog.load(webLogs)
    },
    async expire(retention = headsOnly, { dryRun = false, catalog = lake.catalog, context = {} } = {}) {
      lake.clock.ms += 1000
      const stores = { catalog, neighbours: neighbourhood(catalog) }
      const kept = { ...headsOnly, ...retention }
      try {
        return await expireTable(table, kept, dryRun, stores, jobContext(lake, context))
      } finally {
        table = await lake.catalog.load(webLogs)
      }
    },
    orphans: (options = {}, catalog = lake.catalog) => orphansOf(table, catalog, options),
    orphansOf: (loaded, catalog) => orphansOf(loaded, catalog, {}),
    expireOf: (loaded, catalog) =>
      expireTable(
        loaded,
        headsOnly,
        false,
        { catalog, neighbours: neighbourhood(catalog) },
        jobContext(lake),
      ).finally(() => test.load()),
    async reopen() {
      const location = table.metadataLocation!
      const catalog = withFrozenTables(memoryCatalog('local', 'memory://lake', lake.effects))
      await catalog.createNamespace(['default'])
      lake = { ...lake, catalog }
      await catalog.register(webLogs, location)
      await test.load()
    },
    async reset() {
      lake = lakeInMemory()
      table = await emptyTable(lake, { ...byDay, properties: { [managedProperty]: 'true' } })
    },
    async mixed(from, to) {
      const file = dataFile(table, { count: 5, from, to }, [])
      await lake.io.write(file.filePath, Buffer.alloc(file.fileSizeInBytes))
      await test.commit({ addFiles: [file] })
      return file
    },
    async otherWith(identifier, file) {
      const made = await lake.catalog.create(await lake.catalog.stageCreate(identifier, byDay), [])
      return commitTo(lake, made, { addFiles: [file] })
    },
    files: (part) => namesIn(lake, part),
    async lost() {
      const reached = nothingReached()
      const missing: string[] = []
      for await (const { kind, location } of reachableFiles(table, reached))
        if (kind !== 'version-hint' && (await lake.io.stat(location)) === undefined) missing.push(location)
      const orphans = (await namesIn(lake)).filter((name) => !reached.locations.has(name))
      return { missing, orphans }
    },
  }
  return test
}

/** One for each test. */
export function eachWithFiles(): TestTable {
  let test: TestTable
  beforeEach(async () => {
    test = await makeTable()
  })
  return current(() => test)
}

/** The snapshot of main. */
export const headOf = ({ table }: TestTable): bigint => branchSnapshot(table.metadata, 'main')!['snapshot-id']

export const snapshotsOf = ({ table }: TestTable): bigint[] =>
  table.metadata.snapshots.map((one) => one['snapshot-id'])

/** A branch at a snapshot. */
export const ref = (name: string, id: bigint, partial: Partial<SnapshotRef> = {}): TableUpdate => ({
  action: 'set-snapshot-ref',
  'ref-name': name,
  type: 'branch',
  'snapshot-id': id,
  ...partial,
})
