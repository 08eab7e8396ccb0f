import type { TableMetadata } from '../../iceberg/metadata/metadata.ts'
import type { WantedColumn } from '../../iceberg/schema/schema-evolution.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import { newestRead } from './newest-read.ts'

/**
 * The names of fields that the last read of ours has filled, by the fingerprint in its snapshot, and that `columns` do
 * not fill. `schema`: the table's as it will be. None where no snapshot of ours is left.
 */
export function unfedFields(
  metadata: TableMetadata,
  schema: Schema,
  columns: readonly WantedColumn[],
): string[] {
  const filled = newestRead(metadata)?.fingerprints?.columns
  return schema.fields
    .filter(
      ({ id, name }) => filled?.includes(id) === true && !columns.some((column) => column.name === name),
    )
    .map(({ name }) => name)
}
