import { dataError } from '../../errors.ts'
import { avroType, containerBlocks, containerOf, decodeContainer, type EncodedRecords } from '../avro/avro.ts'
import { unlessDamaged } from '../damaged.ts'
import {
  asBuffer,
  numberAt,
  optionalLongAt,
  optionalNumberAt,
  present,
  type AvroRecord,
} from '../avro/avro-record.ts'
import type { FieldSummary } from '../partition/partition-value.ts'
import type { ManifestFile } from './data-file.ts'
import { readListEntry } from './list-entry.ts'
import { lineageListSchema, manifestListSchema } from './manifest-schema.ts'

/** The snapshot that a manifest list belongs to: its header repeats it for readers that look there. */
export interface ListHeader {
  readonly snapshotId: bigint
  readonly parentSnapshotId: bigint | undefined
  readonly sequenceNumber: number
}

/** Where an entry of a list was read. */
interface EncodedEntry {
  readonly block: Buffer
  readonly start: number
  readonly end: number
}

/**
 * Entries of lists in our own layout: a manifest that is carried on is copied and not encoded again, for a table may
 * have thousands.
 */
const encodedEntries = new WeakMap<ManifestFile, EncodedEntry>()
const ownSchema = JSON.stringify(manifestListSchema)

/** A v2 manifest list's bytes (spec "Manifest Lists"). `sync` are 16 random bytes. */
export const encodeManifestList = (
  list: ListHeader,
  manifests: readonly ManifestFile[],
  sync: Buffer,
): Promise<Buffer> => {
  const hasLineage = manifests.some(({ firstRowId }) => firstRowId !== undefined)
  const schema = hasLineage ? lineageListSchema : manifestListSchema
  return containerOf(
    schema,
    {
      'snapshot-id': list.snapshotId.toString(),
      'parent-snapshot-id': list.parentSnapshotId?.toString() ?? 'null',
      'sequence-number': String(list.sequenceNumber),
      'format-version': '2',
    },
    hasLineage ? encodedAnew(manifests) : encodedRuns(manifests),
    sync,
  )
}

function encodedAnew(manifests: readonly ManifestFile[]): EncodedRecords[] {
  const type = avroType(lineageListSchema)
  return manifests.map((manifest) => ({ count: 1, bytes: type.toBuffer(manifestRecord(manifest)) }))
}

/** Entries that lay side by side are copied together. */
function encodedRuns(manifests: readonly ManifestFile[]): EncodedRecords[] {
  const type = avroType(manifestListSchema)
  const runs: { count: number; readonly block: Buffer; readonly start: number; end: number }[] = []
  for (const manifest of manifests) {
    const { block, start, end } =
      encodedEntries.get(manifest) ?? wholeOf(type.toBuffer(manifestRecord(manifest)))
    const last = runs.at(-1)
    if (last?.block === block && last.end === start) {
      last.end = end
      last.count++
    } else runs.push({ count: 1, block, start, end })
  }
  return runs.map(({ count, block, start, end }) => ({ count, bytes: block.subarray(start, end) }))
}

const wholeOf = (block: Buffer): EncodedEntry => ({ block, start: 0, end: block.length })

const manifestRecord = (manifest: ManifestFile): AvroRecord => ({
  manifest_path: manifest.manifestPath,
  manifest_length: BigInt(manifest.manifestLength),
  partition_spec_id: manifest.partitionSpecId,
  content: manifest.content,
  sequence_number: BigInt(manifest.sequenceNumber),
  min_sequence_number: BigInt(manifest.minSequenceNumber),
  added_snapshot_id: manifest.addedSnapshotId,
  added_files_count: manifest.addedFilesCount,
  existing_files_count: manifest.existingFilesCount,
  deleted_files_count: manifest.deletedFilesCount,
  added_rows_count: BigInt(manifest.addedRowsCount),
  existing_rows_count: BigInt(manifest.existingRowsCount),
  deleted_rows_count: BigInt(manifest.deletedRowsCount),
  partitions:
    manifest.partitions?.map((field) => ({
      contains_null: field.containsNull,
      contains_nan: field.containsNan ?? null,
      lower_bound: field.lowerBound === undefined ? null : asBuffer(field.lowerBound),
      upper_bound: field.upperBound === undefined ? null : asBuffer(field.upperBound),
    })) ?? null,
  key_metadata: manifest.keyMetadata === undefined ? null : asBuffer(manifest.keyMetadata),
  first_row_id: manifest.firstRowId ?? null,
})

/** The manifests of a list of any writer; a v1 list's missing fields get the spec's defaults. */
export const decodeManifestList = (location: string, bytes: Buffer): ManifestFile[] =>
  unlessDamaged(location, () => {
    const { metadata, blocks } = containerBlocks(location, bytes)
    if (metadata.get('avro.schema') !== ownSchema)
      return decodeContainer(location, bytes).records.map(manifestFrom)
    const manifests: ManifestFile[] = []
    for (const block of blocks) {
      for (let record = 0, at = 0; record < block.count; record++) {
        const { manifest, end } = readListEntry(location, block.bytes, at)
        encodedEntries.set(manifest, { block: block.bytes, start: at, end })
        manifests.push(manifest)
        at = end
      }
    }
    return manifests
  })

function manifestFrom(record: AvroRecord): ManifestFile {
  // Without counts nobody could tell whether a manifest has live entries; every known writer has them.
  const count = (name: string, older: string): number =>
    optionalNumberAt(record, name) ?? numberAt(record, older)
  const manifestPath = record['manifest_path']
  if (typeof manifestPath !== 'string') throw dataError('a manifest without manifest_path')
  return {
    manifestPath,
    manifestLength: numberAt(record, 'manifest_length'),
    partitionSpecId: numberAt(record, 'partition_spec_id'),
    content: optionalNumberAt(record, 'content') ?? 0,
    sequenceNumber: optionalNumberAt(record, 'sequence_number') ?? 0,
    minSequenceNumber: optionalNumberAt(record, 'min_sequence_number') ?? 0,
    addedSnapshotId: optionalLongAt(record, 'added_snapshot_id') ?? 0n,
    addedFilesCount: count('added_files_count', 'added_data_files_count'),
    existingFilesCount: count('existing_files_count', 'existing_data_files_count'),
    deletedFilesCount: count('deleted_files_count', 'deleted_data_files_count'),
    addedRowsCount: count('added_rows_count', 'added_rows_count'),
    existingRowsCount: count('existing_rows_count', 'existing_rows_count'),
    deletedRowsCount: count('deleted_rows_count', 'deleted_rows_count'),
    ...present('partitions', (record['partitions'] as AvroRecord[] | null | undefined)?.map(summaryOf)),
    ...present('keyMetadata', record['key_metadata'] as Uint8Array | null),
    ...present('firstRowId', optionalLongAt(record, 'first_row_id')),
  }
}

const summaryOf = (record: AvroRecord): FieldSummary => ({
  containsNull: record['contains_null'] === true,
  ...present('containsNan', record['contains_nan'] as boolean | null),
  ...present('lowerBound', record['lower_bound'] as Uint8Array | null),
  ...present('upperBound', record['upper_bound'] as Uint8Array | null),
})
