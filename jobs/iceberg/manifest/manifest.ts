import { dataError } from '../../errors.ts'
import { decodeContainer, encodeContainer } from '../avro/avro.ts'
import { unlessDamaged } from '../damaged.ts'
import {
  asBuffer,
  mapAt,
  numberAt,
  optionalLongAt,
  optionalNumberAt,
  pairsOf,
  present,
  type AvroRecord,
} from '../avro/avro-record.ts'
import {
  entryStatus,
  fileContent,
  type DataFile,
  type ManifestEntry,
  type ManifestFile,
} from './data-file.ts'
import { stringifyJson, type JsonValue } from '../json/json.ts'
import { avroName, manifestEntrySchema } from './manifest-schema.ts'
import type { PartitionColumnType, PartitionSpec } from '../partition/partition-spec.ts'
import { fromAvroValue, toAvroValue } from '../partition/partition-value.ts'
import type { Schema } from '../schema/schema.ts'

/** What a manifest is written for; `partition` is the spec's partition type. */
export interface ManifestKind {
  readonly schema: Schema
  readonly spec: PartitionSpec
  readonly partition: readonly PartitionColumnType[]
  /** 0 data, 1 deletes. */
  readonly content: number
}

/** A v2 manifest's bytes (spec "Manifests"). `entries` must not be empty; `sync` are 16 random bytes. */
export const encodeManifest = (
  kind: ManifestKind,
  entries: readonly ManifestEntry[],
  sync: Buffer,
): Promise<Buffer> => {
  const { schema, spec, partition, content } = kind
  const metadata = {
    schema: stringifyJson(schema as unknown as JsonValue),
    'schema-id': String(schema['schema-id']),
    'partition-spec': stringifyJson(spec.fields as unknown as JsonValue),
    'partition-spec-id': String(spec['spec-id']),
    'format-version': '2',
    content: content === 0 ? 'data' : 'deletes',
  }
  const records = entries.map((entry) => entryRecord(entry, partition))
  return encodeContainer(manifestEntrySchema(partition, entries.some(hasVersion3)), metadata, records, sync)
}

/** Whether an entry has what only format version 3 knows. */
const hasVersion3 = ({ dataFile }: ManifestEntry): boolean =>
  dataFile.firstRowId !== undefined ||
  dataFile.contentOffset !== undefined ||
  dataFile.contentSizeInBytes !== undefined

function entryRecord(entry: ManifestEntry, partition: readonly PartitionColumnType[]): AvroRecord {
  return {
    status: entry.status,
    snapshot_id: entry.snapshotId ?? null,
    sequence_number: entry.sequenceNumber === undefined ? null : BigInt(entry.sequenceNumber),
    file_sequence_number: entry.fileSequenceNumber === undefined ? null : BigInt(entry.fileSequenceNumber),
    data_file: dataFileRecord(entry.dataFile, partition),
  }
}

const dataFileRecord = (file: DataFile, partition: readonly PartitionColumnType[]): AvroRecord => ({
  content: file.content,
  file_path: file.filePath,
  file_format: file.fileFormat,
  partition: Object.fromEntries(
    partition.map((field, index) => [
      avroName(field.name),
      toAvroValue(field.type, file.partition[index] ?? null),
    ]),
  ),
  record_count: BigInt(file.recordCount),
  file_size_in_bytes: BigInt(file.fileSizeInBytes),
  column_sizes: pairsOf(file.columnSizes, BigInt),
  value_counts: pairsOf(file.valueCounts, BigInt),
  null_value_counts: pairsOf(file.nullValueCounts, BigInt),
  nan_value_counts: pairsOf(file.nanValueCounts, BigInt),
  lower_bounds: pairsOf(file.lowerBounds, asBuffer),
  upper_bounds: pairsOf(file.upperBounds, asBuffer),
  key_metadata: file.keyMetadata === undefined ? null : asBuffer(file.keyMetadata),
  split_offsets: file.splitOffsets?.map(BigInt) ?? null,
  equality_ids: file.equalityIds ?? null,
  sort_order_id: file.sortOrderId ?? null,
  referenced_data_file: file.referencedDataFile ?? null,
  first_row_id: file.firstRowId ?? null,
  content_offset: longOf(file.contentOffset),
  content_size_in_bytes: longOf(file.contentSizeInBytes),
})

const longOf = (value: number | undefined): bigint | null => (value === undefined ? null : BigInt(value))

/**
 * The entries of a manifest of any writer, with what they inherit from `manifest` filled in (spec "Manifest
 * Inheritance"): snapshot id, for ADDED ones (and all of a v1 manifest) the sequence numbers, for data files without
 * one the id of their first row.
 */
export const decodeManifest = (
  manifest: ManifestFile,
  bytes: Buffer,
  partition: readonly PartitionColumnType[],
): ManifestEntry[] => unlessDamaged(manifest.manifestPath, () => entriesOf(manifest, bytes, partition))

function entriesOf(
  manifest: ManifestFile,
  bytes: Buffer,
  partition: readonly PartitionColumnType[],
): ManifestEntry[] {
  const { schema, records } = decodeContainer(manifest.manifestPath, bytes)
  const names = partitionNames(schema)
  let nextRowId = manifest.firstRowId
  return records.map((record): ManifestEntry => {
    const status = numberAt(record, 'status')
    const inherited =
      status === entryStatus.added || manifest.sequenceNumber === 0 ? manifest.sequenceNumber : undefined
    const file = record['data_file'] as AvroRecord
    const tuple = (file['partition'] ?? {}) as AvroRecord
    const described = dataFileOf(file)
    const hasNoRowId = described.firstRowId === undefined && described.content === fileContent.data
    const rowId = hasNoRowId && status !== entryStatus.deleted ? nextRowId : undefined
    if (rowId !== undefined) nextRowId = rowId + BigInt(described.recordCount)
    return {
      status,
      snapshotId: optionalLongAt(record, 'snapshot_id') ?? manifest.addedSnapshotId,
      sequenceNumber: optionalNumberAt(record, 'sequence_number') ?? inherited,
      fileSequenceNumber: optionalNumberAt(record, 'file_sequence_number') ?? inherited,
      dataFile: {
        ...described,
        ...present('firstRowId', described.firstRowId ?? rowId),
        specId: manifest.partitionSpecId,
        partition: partition.map(({ id, type, name }) =>
          fromAvroValue(type, tuple[names.get(id) ?? avroName(name)]),
        ),
      },
    }
  })
}

function dataFileOf(file: AvroRecord): Omit<DataFile, 'specId' | 'partition'> {
  const { file_path: filePath, file_format: fileFormat } = file
  if (typeof filePath !== 'string' || typeof fileFormat !== 'string')
    throw dataError('a manifest entry without file_path or file_format')
  return {
    content: optionalNumberAt(file, 'content') ?? 0,
    filePath,
    fileFormat: fileFormat.toUpperCase(),
    recordCount: numberAt(file, 'record_count'),
    fileSizeInBytes: numberAt(file, 'file_size_in_bytes'),
    ...present('columnSizes', mapAt(file, 'column_sizes', Number)),
    ...present('valueCounts', mapAt(file, 'value_counts', Number)),
    ...present('nullValueCounts', mapAt(file, 'null_value_counts', Number)),
    ...present('nanValueCounts', mapAt(file, 'nan_value_counts', Number)),
    ...present(
      'lowerBounds',
      mapAt(file, 'lower_bounds', (value) => value as Uint8Array),
    ),
    ...present(
      'upperBounds',
      mapAt(file, 'upper_bounds', (value) => value as Uint8Array),
    ),
    ...present('keyMetadata', file['key_metadata'] as Uint8Array | null),
    ...present('splitOffsets', (file['split_offsets'] as bigint[] | null | undefined)?.map(Number)),
    ...present('equalityIds', file['equality_ids'] as number[] | null),
    ...present('sortOrderId', optionalNumberAt(file, 'sort_order_id')),
    ...present('referencedDataFile', file['referenced_data_file'] as string | null),
    ...present('firstRowId', optionalLongAt(file, 'first_row_id')),
    ...present('contentOffset', optionalNumberAt(file, 'content_offset')),
    ...present('contentSizeInBytes', optionalNumberAt(file, 'content_size_in_bytes')),
  }
}

interface AvroSchemaField {
  readonly name: string
  readonly 'field-id'?: number
  readonly type: unknown
}

/** Names of the partition tuple's fields by id: writers disagree on how a column's name becomes Avro's. */
function partitionNames(schema: unknown): ReadonlyMap<number, string> {
  const fieldsOf = (type: unknown): readonly AvroSchemaField[] =>
    (type as { readonly fields?: readonly AvroSchemaField[] } | undefined)?.fields ?? []
  const named = (type: unknown, name: string): unknown =>
    fieldsOf(type).find((field) => field.name === name)?.type
  const names = new Map<number, string>()
  for (const field of fieldsOf(named(named(schema, 'data_file'), 'partition')))
    if (field['field-id'] !== undefined) names.set(field['field-id'], field.name)
  return names
}
