import { addDays, dayOf, firstDay, type Day } from '../calendar.ts'
import { effectsOf, type JobContext } from '../context.ts'
import { dataError, listed } from '../errors.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import { positionOf } from '../iceberg/expression/position.ts'
import { specTypeOf } from '../iceberg/manifest/table-files.ts'
import { currentSchema, defaultSpec, type TableMetadata } from '../iceberg/metadata/metadata.ts'
import { commitSnapshot } from '../iceberg/snapshot/commit.ts'
import { deleteRows } from '../iceberg/snapshot/operations.ts'
import { fieldById } from '../iceberg/schema/schema.ts'
import { asPrimitive, type NestedField } from '../iceberg/schema/types.ts'
import { planRead } from '../lake/read-plan.ts'
import { daysFilter } from '../provenance/days-filter.ts'
import { union, nothing } from '../provenance/extent.ts'
import { updatesWithout } from '../provenance/table-rows.ts'
import { unitOfPartition } from '../provenance/unit-of-file.ts'
import type { Maintained } from '../summary.ts'

export interface RetainOptions {
  /** So many whole days in UTC before today stay, and today. */
  readonly days: number
}

/**
 * Drops the day partitions of main that are older, in a snapshot of its own (lake-spec §4.7), with what is known of their rows.
 * Files stay until the snapshots before have expired. Errors: `JobError` data, for a table that is not partitioned by day, and
 * where a file has rows of days that stay, too; `commitSnapshot`'s.
 */
export async function retainDays(
  table: Table,
  { days }: RetainOptions,
  dryRun: boolean,
  catalog: Catalog,
  context: JobContext,
): Promise<Maintained & { readonly changes: readonly string[] }> {
  const name = tableText(table.identifier)
  const column = dayColumn(name, table.metadata)
  const first = addDays(dayOf(context.now()), -days)
  const gone = { from: firstDay, to: addDays(first, -1) }
  const filter = daysFilter(column, [gone])
  const dropped = new Set<Day>()
  let [rows, files] = [0, 0]
  for (const { file } of (await planRead({ name, ...table }, {})).files) {
    const { type } = specTypeOf(table.metadata, file.specId)
    const position = positionOf(filter, file, type)
    if (position === 'straddles')
      throw dataError(
        `table ${name} has a file with rows from before ${first} and of later days: ${file.filePath}`,
        {
          field: '--days',
          fix: 'it was written under another partitioning: export its days anew, or give --days so that none of them goes',
        },
      )
    if (position === 'outside') continue
    const unit = unitOfPartition(table.metadata, file, column.id)
    if (unit?.kind === 'day') dropped.add(unit.day)
    rows += file.recordCount
    files++
  }
  const changes =
    files === 0
      ? []
      : [
          `days before ${first}: ${listed([...dropped].sort())}`,
          `${rows} rows in ${files === 1 ? '1 file' : `${files} files`}; they are freed when the snapshots before expire`,
        ]
  const maintained = { operation: 'retain', dryRun, files: [], changes }
  if (dryRun || files === 0) return maintained
  const extent = union({ days: [gone], nulls: false }, nothing)
  const request = deleteRows(
    {
      metadata: table.metadata,
      updatesUpon: ({ io, metadata, parent, snapshotId }) =>
        updatesWithout({ io, metadata }, parent, snapshotId, extent),
    },
    { filter, fix: 'run again: a file of other days came meanwhile' },
  )
  const { kind } = await commitSnapshot(catalog, table, request, effectsOf(context))
  context.logger.info(
    { table: name, days: dropped.size, rows },
    kind === 'committed' ? 'days dropped' : 'nothing to drop',
  )
  return maintained
}

/** The column whose days are the table's partitions. */
function dayColumn(name: string, metadata: TableMetadata): NestedField {
  const { type } = specTypeOf(metadata, defaultSpec(metadata)['spec-id'])
  const schema = currentSchema(metadata)
  for (const { transform, sourceId, type: result } of type) {
    const isDay = transform.kind === 'day' || (transform.kind === 'identity' && result.kind === 'date')
    const field = isDay ? fieldById(schema, sourceId) : undefined
    if (field !== undefined && asPrimitive(field.type) !== undefined) return field
  }
  const by = defaultSpec(metadata).fields.map((field) => `${field.transform} of ${field.name}`)
  throw dataError(
    `table ${name} is not partitioned by day: ${by.length === 0 ? 'it is not partitioned' : `it is by ${listed(by)}`}`,
    {
      field: name,
      fix: 'retain drops whole days only; delete rows of such a table with Spark',
    },
  )
}
