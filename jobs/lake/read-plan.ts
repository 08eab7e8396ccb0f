import { dataError } from '../errors.ts'
import { mapConcurrently } from '../concurrency.ts'
import type { FileIO } from '../storage/file-io.ts'
import { bind } from '../iceberg/expression/bind.ts'
import { mayMatch, positionOf } from '../iceberg/expression/position.ts'
import { alwaysTrue, type Predicate } from '../iceberg/expression/predicate.ts'
import type { DataFile, ManifestEntry, ManifestFile } from '../iceberg/manifest/data-file.ts'
import { deleteIndex, noDeletes, type AppliedDeletes } from '../iceberg/manifest/delete-index.ts'
import {
  hasLiveEntries,
  isLive,
  isUnpartitionedSpec,
  readManifest,
  readManifestList,
  specTypeOf,
} from '../iceberg/manifest/table-files.ts'
import type { Snapshot, TableMetadata } from '../iceberg/metadata/metadata.ts'
import { fieldByName, type Schema } from '../iceberg/schema/schema.ts'
import { assertReadableFile, assertReadableTable, unknownType } from './readable.ts'
import { chooseSnapshot, currentState, type SnapshotChoice } from './snapshot-choice.ts'

/** A table whose files are to be read: a catalog's `Table`, under a name for messages. */
export interface ReadTable {
  readonly name: string
  readonly metadata: TableMetadata
  readonly io: FileIO
}

export interface ReadOptions {
  /** `main` as it is now without. */
  readonly choice?: SnapshotChoice
  /** Rows that are wanted, by columns' names in the schema that is read with; all without. */
  readonly filter?: Predicate<string>
  /** Names of columns in that schema; all without. */
  readonly columns?: readonly string[]
  /** Leaves columns out that have a type which cannot be read, if there are others. */
  readonly readable?: boolean
  /** Plans what cannot be read, too: for those who look at files and read no row. */
  readonly tolerant?: boolean
}

/** A data file to be read, and what of it is not to be seen. */
export interface PlannedFile {
  readonly file: DataFile
  /** Its data sequence number. */
  readonly sequenceNumber: number
  /** The snapshot that added it. */
  readonly snapshotId: bigint | undefined
  /** `straddles`: it may hold rows that the filter does not want. */
  readonly position: 'inside' | 'straddles'
  readonly deletes: AppliedDeletes
}

/** What reading one state of a table takes. */
export interface ReadPlan {
  /** Undefined: the table has no snapshot. */
  readonly snapshot: Snapshot | undefined
  /** What the rows are to look like, whatever schema a file was written with. */
  readonly schema: Schema
  readonly filter: Predicate
  /** In the order of the manifests. */
  readonly files: readonly PlannedFile[]
  /** Those that list any live file and may match. */
  readonly manifests: readonly ManifestFile[]
  /** The live delete files in them, those that apply to no data file among them. */
  readonly deleteFiles: readonly ManifestEntry[]
  /** How far the manifests alone decided. */
  readonly pruned: { readonly manifests: number; readonly files: number }
}

/** Manifests that are read at once. */
const manifestsAtOnce = 8

/**
 * Plans a read (lake-spec §1.1): snapshot → manifests that may match by their partition summaries → data files that may
 * match by partition and metrics → the delete files that apply to each. Nothing but metadata is read. Errors: `JobError`
 * data when the choice or a column is not there, or when something cannot be read or applied: then the message names
 * snapshot, file and feature; never is a plan less than the whole truth.
 */
export async function planRead(
  { name, metadata, io }: ReadTable,
  {
    choice = currentState,
    filter = alwaysTrue,
    columns,
    readable = false,
    tolerant = false,
  }: ReadOptions = {},
): Promise<ReadPlan> {
  const { snapshot, schema: whole } = chooseSnapshot(name, metadata, choice)
  const bound = bind(whole, filter)
  const wide = columns === undefined ? whole : projected(name, whole, columns)
  const schema = readable ? withoutUnknown(wide) : wide
  if (!tolerant) assertReadableTable(name, metadata, snapshot, schema)
  const listed = (await readManifestList(io, snapshot)).filter(hasLiveEntries)
  const wanted = listed.filter(({ partitions, partitionSpecId }) =>
    mayMatch(bound, partitions, specTypeOf(metadata, partitionSpecId).type),
  )
  const live = async (manifests: readonly ManifestFile[]): Promise<ManifestEntry[]> => {
    const read = await mapConcurrently(manifests, manifestsAtOnce, (one) => readManifest(io, metadata, one))
    return read.flat().filter(isLive)
  }
  const entries = await live(wanted.filter(({ content }) => content === 0))
  const matching = entries.flatMap((entry) => {
    const position = positionOf(bound, entry.dataFile, specTypeOf(metadata, entry.dataFile.specId).type)
    return position === 'outside' ? [] : [{ ...entry, position }]
  })
  const deletes =
    matching.length === 0 && !tolerant ? [] : await live(wanted.filter(({ content }) => content === 1))
  const deletesOf = deleteIndex(deletes, (specId) => isUnpartitionedSpec(metadata, specId))
  const files = matching.map(({ dataFile: file, sequenceNumber = 0, snapshotId, position }): PlannedFile => {
    const applied = deletesOf(file, sequenceNumber)
    if (!tolerant)
      for (const one of [file, ...deleteFilesOf(applied)]) assertReadableFile(name, metadata, snapshot, one)
    return { file, sequenceNumber, snapshotId, position, deletes: applied }
  })
  return {
    snapshot,
    schema,
    filter: bound,
    files,
    manifests: wanted,
    deleteFiles: deletes,
    pruned: { manifests: listed.length - wanted.length, files: entries.length - matching.length },
  }
}

function withoutUnknown(schema: Schema): Schema {
  const fields = schema.fields.filter(({ type }) => unknownType(type) === undefined)
  return fields.length === 0 ? schema : { ...schema, fields }
}

function projected(table: string, schema: Schema, columns: readonly string[]): Schema {
  const fields = columns.map((column) => {
    const field = fieldByName(schema, column)
    if (field !== undefined) return field
    throw dataError(`table ${table} has no column ${column}`, {
      field: column,
      fix: `use some of ${schema.fields.map((one) => one.name).join(', ')}`,
    })
  })
  return { ...schema, fields }
}

/** The delete files that apply to a data file, as the manifests list them. */
export const entriesOf = ({ vector, positions, equalities }: AppliedDeletes): ManifestEntry[] => [
  ...(vector === undefined ? [] : [vector]),
  ...positions,
  ...equalities,
]

const deleteFilesOf = (deletes: AppliedDeletes): DataFile[] =>
  entriesOf(deletes).map(({ dataFile }) => dataFile)

/** Whether rows of a planned file are deleted. */
export const hasDeletes = ({ deletes }: PlannedFile): boolean =>
  deletes !== noDeletes && deleteFilesOf(deletes).length > 0

/** The number of rows, where metadata alone tell it (lake-spec §1.5): no deletes, no file partly wanted. */
export const countOf = ({ files }: ReadPlan): number | undefined =>
  files.some((planned) => planned.position === 'straddles' || hasDeletes(planned))
    ? undefined
    : files.reduce((rows, { file }) => rows + file.recordCount, 0)
