import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import type { Schema } from '../iceberg/schema/schema.ts'

/** Plain Parquet files as a table without snapshots, so that they are read as tables are. `day`: the column of their days. */
export const plainMetadata = (location: string, schema: Schema, day: number | undefined): TableMetadata => ({
  'format-version': 2,
  'table-uuid': '',
  location,
  'last-sequence-number': 0,
  'last-updated-ms': 0,
  'last-column-id': 0,
  schemas: [schema],
  'current-schema-id': schema['schema-id'],
  'partition-specs': [
    {
      'spec-id': 0,
      fields:
        day === undefined ? [] : [{ name: 'day', transform: 'day', 'source-id': day, 'field-id': 1000 }],
    },
  ],
  'default-spec-id': 0,
  'last-partition-id': 1000,
  'sort-orders': [],
  'default-sort-order-id': 0,
  properties: {},
  snapshots: [],
  'snapshot-log': [],
  'metadata-log': [],
  refs: {},
})
