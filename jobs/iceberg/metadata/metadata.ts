import type { PartitionSpec } from '../partition/partition-spec.ts'
import type { Schema } from '../schema/schema.ts'

/**
 * Table metadata is the JSON document itself, under the specification's names ("Table Metadata Fields"), with
 * snapshot ids as bigint. Fields that are not named here are kept when a document is rewritten: they belong
 * to other writers.
 */
export interface TableMetadata {
  readonly 'format-version': number
  readonly 'table-uuid': string
  readonly location: string
  readonly 'last-sequence-number': number
  readonly 'last-updated-ms': number
  readonly 'last-column-id': number
  readonly schemas: readonly Schema[]
  readonly 'current-schema-id': number
  readonly 'partition-specs': readonly PartitionSpec[]
  readonly 'default-spec-id': number
  readonly 'last-partition-id': number
  readonly 'sort-orders': readonly SortOrder[]
  readonly 'default-sort-order-id': number
  readonly properties: Readonly<Record<string, string>>
  /** Absent while the table has no snapshot. */
  readonly 'current-snapshot-id'?: bigint
  readonly snapshots: readonly Snapshot[]
  readonly 'snapshot-log': readonly SnapshotLogEntry[]
  readonly 'metadata-log': readonly MetadataLogEntry[]
  readonly refs: Readonly<Record<string, SnapshotRef>>
}

export interface SortOrder {
  readonly 'order-id': number
  readonly fields: readonly SortField[]
}

export interface SortField {
  readonly transform: string
  readonly 'source-id': number
  readonly direction: 'asc' | 'desc'
  readonly 'null-order': 'nulls-first' | 'nulls-last'
}

export interface Snapshot {
  readonly 'snapshot-id': bigint
  readonly 'parent-snapshot-id'?: bigint
  readonly 'sequence-number': number
  readonly 'timestamp-ms': number
  readonly 'manifest-list': string
  /** `operation` and counts; all values are strings. */
  readonly summary: Readonly<Record<string, string>>
  readonly 'schema-id'?: number
}

export interface SnapshotLogEntry {
  readonly 'timestamp-ms': number
  readonly 'snapshot-id': bigint
}

export interface MetadataLogEntry {
  readonly 'timestamp-ms': number
  readonly 'metadata-file': string
}

export interface SnapshotRef {
  readonly 'snapshot-id': bigint
  readonly type: 'branch' | 'tag'
  readonly 'max-ref-age-ms'?: number
  readonly 'max-snapshot-age-ms'?: number
  readonly 'min-snapshots-to-keep'?: number
}

export const mainBranch = 'main'

/** The current schema. `TableMetadata` is checked when it is parsed, so it is there. */
export const currentSchema = (metadata: TableMetadata): Schema =>
  metadata.schemas.find((schema) => schema['schema-id'] === metadata['current-schema-id'])!

/** The spec for new files. */
export const defaultSpec = (metadata: TableMetadata): PartitionSpec =>
  metadata['partition-specs'].find((spec) => spec['spec-id'] === metadata['default-spec-id'])!

/** All schemas, the current one first: where a partition field's source is looked for. */
export const schemasByAge = (metadata: TableMetadata): readonly Schema[] => [
  currentSchema(metadata),
  ...metadata.schemas,
]

/** Looks from the end: of thousands the newest are asked for. */
export const snapshotById = (metadata: TableMetadata, id: bigint | undefined): Snapshot | undefined =>
  id === undefined ? undefined : metadata.snapshots.findLast((snapshot) => snapshot['snapshot-id'] === id)

/** A branch or a tag by its name, which may be that of a member of every object. */
export const refOf = ({ refs }: TableMetadata, name: string): SnapshotRef | undefined =>
  Object.hasOwn(refs, name) ? refs[name] : undefined

/** The newest snapshot of a branch; undefined for a branch that does not exist yet. */
export const branchSnapshot = (metadata: TableMetadata, branch: string): Snapshot | undefined =>
  snapshotById(metadata, refOf(metadata, branch)?.['snapshot-id'])

/** A property as a number that is not negative; the default where it is missing or no such number. */
export function numericProperty(
  properties: Readonly<Record<string, string>>,
  key: string,
  fallback: number,
): number {
  const value = Number(properties[key] ?? Number.NaN)
  return Number.isFinite(value) && value >= 0 ? value : fallback
}
