import { dataError, JobError, shellWord, usageError } from '../../errors.ts'
import { tableText, type Catalog, type Table, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { NoSuchTableError } from '../../iceberg/errors.ts'
import { currentSchema, defaultSpec } from '../../iceberg/metadata/metadata.ts'
import { metricsModes } from '../../iceberg/metrics/metrics-mode.ts'
import { partitionSpec, unpartitioned, type PartitionSpec } from '../../iceberg/partition/partition-spec.ts'
import type { TableRequirement } from '../../iceberg/metadata/requirements.ts'
import type { WantedColumn } from '../../iceberg/schema/schema-evolution.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import { fieldById, fieldByName } from '../../iceberg/schema/schema.ts'
import { allFaults } from '../../postgres/faults.ts'
import { parseTransform, type PartitionExpression } from '../../iceberg/partition/transforms.ts'
import { tableChanges } from '../../iceberg/metadata/table-changes.ts'
import type { TableUpdate } from '../../iceberg/metadata/updates.ts'
import { hashChanges } from './hashed-rows.ts'
import {
  assertNoneEmptied,
  flagName,
  newColumnWarning,
  unfedWarning,
  type ChosenColumns,
} from './left-out.ts'
import { renameFlag } from './own-renames.ts'
import { caseWarnings, renamedElsewhere } from './name-warnings.ts'
import { unfedFields } from './unfed-fields.ts'

/** The table that an export writes to, as its commit will leave it. */
export interface TableTarget {
  /** As it was loaded, or staged when it is new. */
  readonly table: Table
  readonly isNew: boolean
  readonly schema: Schema
  readonly spec: PartitionSpec
  /** Changes of schema and spec that the commit makes, and what they rest on. */
  readonly updates: readonly TableUpdate[]
  readonly requirements: readonly TableRequirement[]
  /** What changes, in words: for logs and plans. */
  readonly changes: readonly string[]
  /** What somebody should look at. */
  readonly warnings: readonly string[]
}

/** The table of the catalog; undefined when there is none yet. */
export async function loadTable(catalog: Catalog, identifier: TableIdentifier): Promise<Table | undefined> {
  try {
    return await catalog.load(identifier)
  } catch (error) {
    if (error instanceof NoSuchTableError) return undefined
    throw error
  }
}

export interface TargetRequest {
  readonly identifier: TableIdentifier
  readonly columns: readonly WantedColumn[]
  /** Undefined: not said. */
  readonly partitionBy: readonly PartitionExpression[] | undefined
  /** Of a table that is made, where neither `partitionBy` nor the day says it; one without its columns is unpartitioned. */
  readonly newTablesBy: readonly PartitionExpression[]
  /** Day mode: the column whose days are replaced. */
  readonly dayColumn: string | undefined
  /** Old name → new name. */
  readonly renames: Readonly<Record<string, string>>
  readonly upgrade: boolean
  /** Columns whose type cannot follow are made anew; no file stays. */
  readonly retypes: boolean
  /** Of the source's columns, which are read. */
  readonly chosen: ChosenColumns
  /** `--drop-columns`. */
  readonly dropColumns: readonly string[]
  /** Tells the key of hashed columns (`hashKeyId`). */
  readonly hashKey: string | undefined
  /** Properties of a new table. */
  readonly properties: Readonly<Record<string, string>>
}

/**
 * Fits a table to what is to be written, or stages a new one. Nothing is visible before the commit. All that stands in the way
 * is one error (`allFaults`).
 */
export async function prepareTarget(
  catalog: Catalog,
  existing: Table | undefined,
  request: TargetRequest,
  nowMs: number,
): Promise<TableTarget> {
  const { identifier, columns, dayColumn } = request
  if (columns.length === 0) {
    throw dataError(`${tableText(identifier)}: its source has no columns`, {
      field: tableText(identifier),
      fix: 'leave it out of --table',
    })
  }
  if (dayColumn !== undefined && !columns.some(({ name }) => name === dayColumn)) {
    throw usageError(`--columns leaves out ${dayColumn}, whose days are to be replaced`, {
      field: '--columns',
      fix: `name ${dayColumn} in --columns`,
    })
  }
  return existing === undefined ? stageNew(catalog, request) : fitExisting(existing, request, nowMs)
}

async function stageNew(
  catalog: Catalog,
  { identifier, columns, partitionBy, newTablesBy, dayColumn, properties }: TargetRequest,
): Promise<TableTarget> {
  const schema: Schema = {
    type: 'struct',
    'schema-id': 0,
    fields: columns.map((column, index) => ({ id: index + 1, ...column })),
  }
  const isByDefault = partitionBy === undefined && dayColumn === undefined
  const lacking = newTablesBy.find(({ column }) => fieldByName(schema, column) === undefined)
  const isPassedOver = isByDefault && lacking !== undefined
  const byDefault: readonly PartitionExpression[] =
    dayColumn === undefined ? newTablesBy : [{ transform: { kind: 'day' }, column: dayColumn }]
  const expressions = isPassedOver ? [] : (partitionBy ?? byDefault)
  const setting = isByDefault ? 'EXPORT_PARTITION_BY' : '--partition-by'
  const spec = expressions.length === 0 ? unpartitioned : partitionSpec(schema, expressions, { setting })
  if (dayColumn !== undefined) assertByDay(identifier, spec, schema, dayColumn)
  const table = await catalog.stageCreate(identifier, { schema, spec, properties })
  return {
    table,
    isNew: true,
    schema: currentSchema(table.metadata),
    spec: defaultSpec(table.metadata),
    updates: [],
    requirements: [],
    warnings: caseWarnings(schema),
    changes: [
      `create table ${tableText(identifier)}`,
      ...(isPassedOver
        ? [`unpartitioned: EXPORT_PARTITION_BY names ${lacking.column}, which it has not`]
        : []),
    ],
  }
}

function fitExisting(
  table: Table,
  { identifier, columns, dayColumn, chosen, dropColumns, hashKey, ...asked }: TargetRequest,
  nowMs: number,
): TableTarget {
  const name = tableText(identifier)
  const faults: JobError[] = []
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      faults.push(error)
      return undefined
    }
  }
  const before = currentSchema(table.metadata)
  attempt(() => {
    const names = before.fields.map((field) => field.name)
    assertNoneEmptied(`table ${name}`, names, chosen, dropColumns)
  })
  const changed = attempt(() =>
    tableChanges(
      name,
      table.metadata,
      {
        ...{ ...asked, columns, replacesAll: dayColumn === undefined },
        flagName: (column) => flagName(chosen.flagTable, column),
      },
      nowMs,
    ),
  )
  // Where the schema cannot follow, the rest is looked at as it is.
  const metadata = changed?.metadata ?? table.metadata
  const [schema, spec] = [currentSchema(metadata), defaultSpec(metadata)]
  // What a table's properties say wrongly is said before anything is read.
  attempt(() => metricsModes(schema, metadata.properties))
  attempt(() => {
    if (dayColumn === undefined) return
    if (spec['spec-id'] !== table.metadata['default-spec-id']) {
      throw usageError(`table ${name} is partitioned otherwise than --partition-by says`, {
        field: '--partition-by',
        fix: 'leave --partition-by out, or change the partitioning with --mode full, which replaces all files',
      })
    }
    assertByDay(identifier, spec, schema, dayColumn)
  })
  if (changed !== undefined)
    attempt(() => {
      assertPartitionable(name, schema, spec, columns)
    })
  const isByDay = dayColumn !== undefined
  const hashed = attempt(() => hashChanges(name, table.metadata, schema, chosen, hashKey, isByDay))
  if (changed === undefined || faults.length > 0) throw allFaults(faults)
  const { updates, requirements, changes } = changed
  const warnings = [
    ...renamedElsewhere(table.metadata, schema),
    ...unfedFields(table.metadata, schema, columns).map((field) => unfedWarning(field, chosen)),
    ...caseWarnings(schema),
    ...chosen.newColumns.map(newColumnWarning),
    ...(hashed ?? []),
  ]
  return { table, isNew: false, schema, spec, updates, requirements, changes, warnings }
}

/** Transforms whose partitions never hold rows of two days. */
const withinDay = ['day', 'hour']

function assertByDay(
  identifier: TableIdentifier,
  spec: PartitionSpec,
  schema: Schema,
  dayColumn: string,
): void {
  const source = fieldByName(schema, dayColumn)
  const byDay = spec.fields.some((field) => {
    const { kind } = parseTransform(field.transform)
    const isDate = kind === 'identity' && source?.type === 'date'
    return field['source-id'] === source?.id && (withinDay.includes(kind) || isDate)
  })
  if (byDay) return
  throw usageError(`table ${tableText(identifier)} is not partitioned by day(${dayColumn})`, {
    field: '--mode',
    fix: `run once with --mode full --partition-by ${shellWord(`day(${dayColumn})`)}, which replaces all files`,
  })
}

/** A row's partition is computed from what is read: a partition column that is left out has no values. */
function assertPartitionable(
  table: string,
  schema: Schema,
  spec: PartitionSpec,
  columns: readonly WantedColumn[],
): void {
  for (const field of spec.fields) {
    const source = fieldById(schema, field['source-id'])
    if (parseTransform(field.transform).kind === 'void') continue
    if (source !== undefined && columns.some(({ name }) => name === source.name)) continue
    throw usageError(
      `table ${table} is partitioned by ${field.name}, but ${source?.name ?? 'its column'} is not read`,
      {
        field: '--columns',
        fix: `name ${source?.name ?? 'it'} in --columns; if the source calls it otherwise now, use ${renameFlag(source?.name ?? 'old', 'new')}; or partition otherwise with --mode full --partition-by`,
      },
    )
  }
}

/** The column of the table's day() partition; undefined when it has none. */
export function dayPartitionColumn({ metadata }: Table): string | undefined {
  const schema = currentSchema(metadata)
  const field = defaultSpec(metadata).fields.find(({ transform }) => parseTransform(transform).kind === 'day')
  return schema.fields.find(({ id }) => id === field?.['source-id'])?.name
}
