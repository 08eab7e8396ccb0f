import { usageError } from '../../errors.ts'
import { tableText, type Catalog, type Table, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { ensureNamespace } from '../../iceberg/catalog/ensure-namespace.ts'
import { NoSuchTableError } from '../../iceberg/errors.ts'
import { currentSchema, defaultSpec } from '../../iceberg/metadata/metadata.ts'
import { partitionSpec, sameSpec } from '../../iceberg/partition/partition-spec.ts'
import { fieldByName, type Schema } from '../../iceberg/schema/schema.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import { codecProperties } from '../../iceberg/writer/write-settings.ts'
import { managedProperty } from '../../provenance/managed.ts'

/** The columns of a table of results, in their order. */
const columns = [
  ['window_end', 'date'],
  ['days', 'int'],
  ['email', 'string'],
  ['create_count', 'long'],
  ['read_count', 'long'],
  ['update_count', 'long'],
  ['delete_count', 'long'],
] as const

const wanted: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: columns.map(([name, type], at) => ({ id: at + 1, name, required: true, type })),
}

/** The length of the windows of a table of results. It has those of one length, so that a day's rows are one window's. */
const daysProperty = 'lakejobs.window-days'

/** A table of results, as it was when the run began. */
export interface ResultTable {
  /** Staged where it is new. */
  readonly table: Table
  readonly isNew: boolean
  readonly schema: Schema
  /** Of `columns`, in their order. */
  readonly fields: readonly NestedField[]
}

/**
 * The table that windows of `days` days go to, or a new one that nobody sees yet. Errors: `JobError` usage for a table that
 * is no table of results, or one of windows of another length.
 */
export async function openResultTable(
  catalog: Catalog,
  identifier: TableIdentifier,
  days: number,
): Promise<ResultTable> {
  const existing = await catalog.load(identifier).catch((error: unknown) => {
    if (error instanceof NoSuchTableError) return undefined
    throw error
  })
  if (existing !== undefined) {
    const schema = currentSchema(existing.metadata)
    return { table: existing, isNew: false, schema, fields: fieldsOf(existing, days) }
  }
  await ensureNamespace(catalog, identifier.namespace)
  const table = await catalog.stageCreate(identifier, {
    schema: wanted,
    spec: byDay(wanted),
    properties: { ...codecProperties(), [managedProperty]: 'true', [daysProperty]: String(days) },
  })
  const schema = currentSchema(table.metadata)
  return { table, isNew: true, schema, fields: schema.fields }
}

const byDay = (schema: Schema): ReturnType<typeof partitionSpec> =>
  partitionSpec(schema, [{ transform: { kind: 'day' }, column: 'window_end' }])

function fieldsOf({ identifier, metadata }: Table, days: number): readonly NestedField[] {
  const name = tableText(identifier)
  const refuse = (what: string, fix: string): Error =>
    usageError(`--iceberg ${name}: ${what}`, { field: '--iceberg', fix })
  const another = 'give the results a table of their own, for example --iceberg crud_results'
  const schema = currentSchema(metadata)
  const said = metadata.properties[daysProperty]
  if (said === undefined) throw refuse('the table is there, and aggregate has not made it', another)
  if (said !== String(days))
    throw refuse(
      `the table has windows of ${said} days, and these have ${days}`,
      `give windows of ${days} days a table of their own, for example --iceberg crud_${days}_days`,
    )
  const fields = columns.map(([column, type]) => {
    const field = fieldByName(schema, column)
    if (field?.type !== type)
      throw refuse(`it has no column ${column} of type ${type} any more`, `rename it back, or ${another}`)
    return field
  })
  const more = schema.fields.find((field) => field.required && !fields.includes(field))
  if (more !== undefined) throw refuse(`its column ${more.name} is required, and results have none`, another)
  if (!sameSpec(defaultSpec(metadata), byDay(schema)))
    throw refuse('it is partitioned otherwise than by day(window_end)', another)
  return fields
}
