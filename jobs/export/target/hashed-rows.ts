import { usageError } from '../../errors.ts'
import type { TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { fieldByName, type Schema } from '../../iceberg/schema/schema.ts'
import type { ChosenColumns } from './left-out.ts'
import { newestRead } from './newest-read.ts'

/**
 * What is to be said where columns that the table has are hashed from now on, or by another key, or no more: snapshots from before
 * keep their values. Days that stay would keep them, too, so that one column had values of two kinds: refused.
 *
 * @param schema the table's as it will be
 * @param key tells the key (`hashKeyId`); undefined: nothing is hashed
 */
export function hashChanges(
  table: string,
  metadata: TableMetadata,
  schema: Schema,
  { columns }: Pick<ChosenColumns, 'columns'>,
  key: string | undefined,
  isByDay: boolean,
): string[] {
  const read = newestRead(metadata)
  const filled = read?.fingerprints?.columns ?? []
  const before = read?.readAs?.hash
  const changes = columns.flatMap(({ name, hashed = false }) => {
    const id = fieldByName(schema, name)?.id ?? -1
    const wasHashed = before?.columns.includes(id) === true
    if (!filled.includes(id) || (hashed === wasHashed && (!hashed || before?.key === key))) return []
    if (hashed && wasHashed) return [`column ${name} is hashed by another key than before`]
    return [`column ${name} is ${hashed ? 'hashed' : 'not hashed any more'}, unlike before`]
  })
  const [first] = changes
  if (first !== undefined && isByDay)
    throw usageError(`table ${table}: ${first}, and days that stay would keep its values`, {
      field: '--hash',
      fix: 'export the whole table once with --mode full',
    })
  return changes.map(
    (change) =>
      `${change}; snapshots from before keep its values until they expire (lakejobs maintain expire)`,
  )
}
