import * as v from 'valibot'

/**
 * What `lakejobs inspect --json` prints. docs/schemas/inspect.schema.json is generated from here
 * (tests/inspect/report-schema.test.ts fails when it is stale). Ids have 63 bits and are text; times are UTC.
 */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const id = v.pipe(v.string(), v.regex(/^-?\d+$/))
const instant = v.pipe(v.string(), v.isoTimestamp())
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/))
const spread = v.object({ least: count, median: count, most: count })

const snapshot = v.object({
  id,
  parent: v.optional(id),
  at: instant,
  /** Negative: by a clock that is ahead of this machine's. */
  ageSeconds: v.pipe(v.number(), v.integer()),
  operation: v.string(),
  /** What wrote it; absent where its summary does not say (PyIceberg and DuckDB do not). */
  engine: v.optional(v.string()),
  /** The writer's own name for what it did: a run of ours, an application, a query. */
  run: v.optional(v.string()),
  addedRows: v.optional(count),
  removedRows: v.optional(count),
  addedFiles: v.optional(count),
  removedFiles: v.optional(count),
  /** After it, as its summary says. */
  rows: v.optional(count),
  refs: v.array(v.string()),
  /** Whether main came through it. False: another branch did, or main was rolled back behind it. */
  inMain: v.boolean(),
})

const ref = v.object({
  name: v.string(),
  type: v.picklist(['branch', 'tag']),
  snapshot: id,
  /** When its snapshot was made. */
  at: v.optional(instant),
})

const column = v.object({ id: count, name: v.string(), type: v.string(), required: v.boolean() })

const schemaChange = v.object({
  /** Schema ids, as they follow one another in the metadata. */
  from: v.pipe(v.number(), v.integer()),
  to: v.pipe(v.number(), v.integer()),
  /** When the first retained snapshot of that schema was made. */
  at: v.optional(instant),
  changes: v.array(v.string()),
})

const dataFile = v.object({
  path: v.string(),
  partition: v.string(),
  rows: count,
  bytes: count,
  format: v.string(),
  /** The data sequence number. */
  sequence: count,
  snapshot: v.optional(id),
  /** Delete files that apply to it. */
  deletes: count,
})

const partition = v.object({
  partition: v.string(),
  files: count,
  rows: count,
  bytes: count,
  /** Files below 75 % of the target. */
  smallFiles: count,
  /** Files with rows that are deleted. */
  filesWithDeletes: count,
})

const dayRange = v.object({ from: day, to: day })

const partitions = v.object({
  /** The transforms that new files are partitioned by. */
  by: v.array(v.string()),
  count,
  rows: v.optional(spread),
  bytes: v.optional(spread),
  largest: v.optional(v.object({ partition: v.string(), rows: count })),
  /** Files of earlier specs. */
  otherSpecFiles: count,
  /** Of a table that is partitioned by day. */
  days: v.optional(
    v.object({
      column: v.string(),
      first: day,
      last: day,
      /** Between them, without rows, and no retained export has said that there are none. */
      missing: v.array(dayRange),
      missingDays: count,
      /** Between them, without rows, as an export found them at the source. */
      emptyDays: count,
    }),
  ),
})

const deletes = v.object({
  positionFiles: count,
  vectors: count,
  equalityFiles: count,
  /** Of position deletes and vectors: rows that they name, some perhaps twice. */
  rows: count,
  bytes: count,
  filesWithDeletes: count,
  /** Delete files that apply to no data file any more. */
  dangling: count,
})

const metadata = v.object({
  location: v.string(),
  bytes: v.optional(count),
  /** Earlier metadata files that it still lists. */
  previousFiles: count,
  snapshotLogEntries: count,
  manifests: count,
  manifestBytes: count,
  manifestListBytes: v.optional(count),
  /** What planning a scan of everything reads. */
  planningBytes: count,
})

const reader = v.object({
  reader: v.string(),
  /** What it refuses, or does wrong. */
  cannot: v.string(),
  because: v.string(),
  fix: v.optional(v.string()),
})

const amount = v.object({ files: count, bytes: count })
const kind = v.picklist([
  'metadata',
  'version-hint',
  'statistics',
  'manifest-list',
  'manifest',
  'data',
  'deletes',
])
const share = v.object({ ...amount.entries, kinds: v.array(v.object({ kind, ...amount.entries })) })

const storage = v.object({
  /** Where the table's files lie; all of the rest is about these. */
  folders: v.array(v.string()),
  /** What the store lists there: live, kept and unreferenced add up to it. */
  ...amount.entries,
  /** Of the newest snapshot of main and the newest metadata. */
  live: share,
  /** Of other snapshots and earlier metadata alone; `expirable`: of snapshots that are past their time alone. */
  kept: v.object({ ...share.entries, expirable: amount }),
  /**
   * Nothing refers to them. `young`: less than three days old, perhaps about to be committed; `foreign`: no writer of Iceberg
   * gives such names. `maintain orphans` leaves both alone.
   */
  unreferenced: v.object({ ...amount.entries, young: amount, foreign: amount }),
  /** Multipart uploads and temporary files, which the store does not list. */
  unfinished: v.object({ ...amount.entries, young: amount }),
  /** Files that are needed and not there, the first 20 by name. */
  missingFiles: count,
  missing: v.array(v.string()),
  /** Whether the newest snapshot of main needs one of them. */
  missingLive: v.boolean(),
  /** Files of another size than what refers to them says, the first 20 by name. */
  otherSizeFiles: count,
  otherSize: v.array(v.string()),
  /** Files that are needed and lie elsewhere. */
  elsewhere: amount,
})

const object = v.object({
  part: v.picklist(['parquet', 'iceberg']),
  location: v.string(),
  bytes: count,
  modified: instant,
  /** `foreign`: a file in the folder of the Parquet export that no export of ours wrote. */
  state: v.picklist(['live', 'kept', 'expirable', 'unreferenced', 'unfinished', 'foreign']),
  kind: v.optional(kind),
  /** The newest snapshot that needs it; of a plain file the one with the same rows. */
  snapshot: v.optional(id),
  purpose: v.string(),
})

const objects = v.object({
  /** Oldest first. */
  snapshots: v.array(v.object({ id, at: instant, operation: v.string(), refs: v.array(v.string()) })),
  /** That of main. */
  current: v.optional(id),
  objects: v.array(object),
})

const verdict = v.object({
  /** `wrong`: rows are lost; `mend`: the command makes it better; `note`: nothing to do, but to know. */
  level: v.picklist(['wrong', 'mend', 'note']),
  what: v.string(),
  commands: v.array(v.string()),
})

export const tableReport = v.object({
  table: v.string(),
  uuid: v.string(),
  location: v.string(),
  formatVersion: count,
  /** Whether `maintain` without `--table` acts on it. */
  managed: v.boolean(),
  /** Live data files of the snapshot that was asked for. */
  rows: count,
  files: count,
  bytes: count,
  /** The snapshot that was asked for; absent: the table has none. */
  snapshot: v.optional(snapshot),
  fileSizes: v.object({
    targetBytes: count,
    bytes: v.optional(spread),
    buckets: v.array(v.object({ below: v.optional(count), files: count, bytes: count })),
  }),
  partitions,
  snapshots: v.object({
    count,
    oldest: v.optional(instant),
    /** That main did not come through, and no other ref has. */
    abandoned: count,
    /** Newest first, at most five. */
    newest: v.array(snapshot),
  }),
  refs: v.array(ref),
  schema: v.object({
    id: v.pipe(v.number(), v.integer()),
    columns: v.array(column),
    history: v.array(schemaChange),
  }),
  metadata,
  deletes,
  /** Readers that are known to refuse the table, or to read it wrongly. */
  readers: v.array(reader),
  verdicts: v.array(verdict),
  /** With --storage. */
  storage: v.optional(storage),
  /** With --tree. */
  tree: v.optional(objects),
  /** With --files. */
  fileList: v.optional(v.array(dataFile)),
  /** With --snapshots: all of them, newest first. */
  snapshotList: v.optional(v.array(snapshot)),
  /** With --partitions. */
  partitionList: v.optional(v.array(partition)),
})

const failedTable = v.object({
  table: v.string(),
  error: v.object({ code: v.string(), message: v.string(), fix: v.optional(v.string()) }),
})

export const inspectSchema = v.object({
  at: instant,
  catalog: v.string(),
  tables: v.array(v.union([tableReport, failedTable])),
})

export type SnapshotReport = v.InferOutput<typeof snapshot>
export type RefReport = v.InferOutput<typeof ref>
export type SchemaChange = v.InferOutput<typeof schemaChange>
export type ColumnReport = v.InferOutput<typeof column>
export type FileReport = v.InferOutput<typeof dataFile>
export type PartitionReport = v.InferOutput<typeof partition>
export type PartitionsReport = v.InferOutput<typeof partitions>
export type DeletesReport = v.InferOutput<typeof deletes>
export type MetadataReport = v.InferOutput<typeof metadata>
export type ReaderReport = v.InferOutput<typeof reader>
export type StorageReport = v.InferOutput<typeof storage>
export type ObjectReport = v.InferOutput<typeof object>
export type ObjectsReport = v.InferOutput<typeof objects>
export type Verdict = v.InferOutput<typeof verdict>
export type TableReport = v.InferOutput<typeof tableReport>
export type FailedTable = v.InferOutput<typeof failedTable>
export type InspectReport = v.InferOutput<typeof inspectSchema>
