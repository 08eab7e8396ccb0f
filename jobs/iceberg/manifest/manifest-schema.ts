import type { PartitionColumnType } from '../partition/partition-spec.ts'
import type { PrimitiveType } from '../schema/types.ts'
import { leastDecimalWidth } from '../../vector/decimal-width.ts'

/**
 * Avro schemas of manifests and manifest lists (spec "Manifests", "Manifest Lists", App. A). Record names,
 * field names and ids are what other readers look for: `manifest_entry`, `r2`, `r102`, `manifest_file`.
 */
interface AvroField {
  readonly name: string
  readonly type: unknown
  readonly default?: null
  readonly 'field-id': number
}

const required = (id: number, name: string, type: unknown): AvroField => ({ name, type, 'field-id': id })

const optional = (id: number, name: string, type: unknown): AvroField => ({
  name,
  type: ['null', type],
  default: null,
  'field-id': id,
})

/** Avro has no maps with int keys: arrays of pairs, marked as maps. */
const intMap = (keyId: number, valueId: number, value: string): unknown => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [required(keyId, 'key', 'int'), required(valueId, 'value', value)],
  },
})

const list = (elementId: number, items: unknown): unknown => ({
  type: 'array',
  items,
  'element-id': elementId,
})

/**
 * The schema of a v2 manifest's entries for one partition type; `version3` adds the fields of format version 3, which
 * are written only where an entry has them.
 */
export const manifestEntrySchema = (
  partition: readonly PartitionColumnType[],
  version3 = false,
): unknown => ({
  type: 'record',
  name: 'manifest_entry',
  fields: [
    required(0, 'status', 'int'),
    optional(1, 'snapshot_id', 'long'),
    optional(3, 'sequence_number', 'long'),
    optional(4, 'file_sequence_number', 'long'),
    required(2, 'data_file', {
      type: 'record',
      name: 'r2',
      fields: [...dataFileFields(partition), ...(version3 ? version3Fields : [])],
    }),
  ],
})

const dataFileFields = (partition: readonly PartitionColumnType[]): AvroField[] => [
  required(134, 'content', 'int'),
  required(100, 'file_path', 'string'),
  required(101, 'file_format', 'string'),
  required(102, 'partition', {
    type: 'record',
    name: 'r102',
    fields: partition.map((field) =>
      optional(field.id, avroName(field.name), valueSchema(field.type, field.id)),
    ),
  }),
  required(103, 'record_count', 'long'),
  required(104, 'file_size_in_bytes', 'long'),
  optional(108, 'column_sizes', intMap(117, 118, 'long')),
  optional(109, 'value_counts', intMap(119, 120, 'long')),
  optional(110, 'null_value_counts', intMap(121, 122, 'long')),
  optional(137, 'nan_value_counts', intMap(138, 139, 'long')),
  optional(125, 'lower_bounds', intMap(126, 127, 'bytes')),
  optional(128, 'upper_bounds', intMap(129, 130, 'bytes')),
  optional(131, 'key_metadata', 'bytes'),
  optional(132, 'split_offsets', list(133, 'long')),
  optional(135, 'equality_ids', list(136, 'int')),
  optional(140, 'sort_order_id', 'int'),
  optional(143, 'referenced_data_file', 'string'),
]

const version3Fields = [
  optional(142, 'first_row_id', 'long'),
  optional(144, 'content_offset', 'long'),
  optional(145, 'content_size_in_bytes', 'long'),
]

/** A partition value's Avro type. Names of fixed types carry the field's id: a name may be defined only once. */
function valueSchema(type: PrimitiveType, id: number): unknown {
  switch (type.kind) {
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': false }
    case 'timestamptz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }
    case 'uuid':
      return { type: 'fixed', name: `uuid_fixed_${id}`, size: 16, logicalType: 'uuid' }
    case 'fixed':
      return { type: 'fixed', name: `fixed_${type.length}_${id}`, size: type.length }
    case 'decimal':
      return {
        type: 'fixed',
        name: `decimal_${type.precision}_${type.scale}_${id}`,
        size: leastDecimalWidth(type.precision),
        logicalType: 'decimal',
        precision: type.precision,
        scale: type.scale,
      }
    case 'binary':
      return 'bytes'
    default:
      return type.kind
  }
}

/** A name that Avro allows, as Java replaces what it does not: `a b` becomes `a_x20b`, `1a` becomes `_1a`. */
export const avroName = (name: string): string =>
  name
    .replaceAll(/[^A-Za-z0-9_]/gu, (char) => `_x${char.codePointAt(0)!.toString(16).toUpperCase()}`)
    .replace(/^(?=\d)/, '_')

const listFields = [
  required(500, 'manifest_path', 'string'),
  required(501, 'manifest_length', 'long'),
  required(502, 'partition_spec_id', 'int'),
  required(517, 'content', 'int'),
  required(515, 'sequence_number', 'long'),
  required(516, 'min_sequence_number', 'long'),
  required(503, 'added_snapshot_id', 'long'),
  required(504, 'added_files_count', 'int'),
  required(505, 'existing_files_count', 'int'),
  required(506, 'deleted_files_count', 'int'),
  required(512, 'added_rows_count', 'long'),
  required(513, 'existing_rows_count', 'long'),
  required(514, 'deleted_rows_count', 'long'),
  optional(
    507,
    'partitions',
    list(508, {
      type: 'record',
      name: 'r508',
      fields: [
        required(509, 'contains_null', 'boolean'),
        optional(518, 'contains_nan', 'boolean'),
        optional(510, 'lower_bound', 'bytes'),
        optional(511, 'upper_bound', 'bytes'),
      ],
    }),
  ),
  optional(519, 'key_metadata', 'bytes'),
]

/** The schema of a v2 manifest list. Its counts are required: nullable ones broke other engines. */
export const manifestListSchema: unknown = { type: 'record', name: 'manifest_file', fields: listFields }

/** The same with version 3's row lineage, for lists in which a manifest has it. */
export const lineageListSchema: unknown = {
  type: 'record',
  name: 'manifest_file',
  fields: [...listFields, optional(520, 'first_row_id', 'long')],
}
