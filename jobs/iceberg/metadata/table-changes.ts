import { assertFormatVersion2 } from './format-version.ts'
import { currentSchema, defaultSpec, type TableMetadata } from './metadata.ts'
import { nameMappingProperty, updatedNameMapping } from '../schema/name-mapping.ts'
import { shellWord, usageError } from '../../errors.ts'
import { fieldByName, type Schema } from '../schema/schema.ts'
import { partitionSpec } from '../partition/partition-spec.ts'
import type { TableRequirement } from './requirements.ts'
import { evolveSchema, type WantedColumn } from '../schema/schema-evolution.ts'
import type { PartitionExpression } from '../partition/transforms.ts'
import { applyUpdates, type TableUpdate } from './updates.ts'

/** Updates of one commit and what they rest on. */
export interface TableChanges {
  readonly updates: readonly TableUpdate[]
  readonly requirements: readonly TableRequirement[]
  /** The metadata with them: what data files are written for. */
  readonly metadata: TableMetadata
  /** A phrase each, for people. */
  readonly changes: readonly string[]
}

/** What a table is to become. */
export interface WantedTable {
  readonly columns: readonly WantedColumn[]
  /** Undefined: as it is. */
  readonly partitionBy: readonly PartitionExpression[] | undefined
  /** Old name → new name: columns that keep their id under another name. */
  readonly renames?: Readonly<Record<string, string>>
  /** Whether a table of format version 1 becomes version 2. */
  readonly upgrade?: boolean
  /** Whether the commit leaves no file of before: a rename may then take another column's place. */
  readonly replacesAll?: boolean
  /** Whether columns whose type cannot follow are dropped and made anew. */
  readonly retypes?: boolean
  /** What flags call a column, for messages; default: its name. */
  readonly flagName?: (column: string) => string
}

/**
 * Lets a table follow its source's columns (`evolveSchema`) and, with `partitionBy`, changes its default spec.
 * Nothing to change gives no updates. `nowMs` is the time of the commit. Errors: those of `evolveSchema`,
 * `partitionSpec` and `assertFormatVersion2`.
 */
export function tableChanges(
  table: string,
  base: TableMetadata,
  { columns, partitionBy, renames, upgrade, replacesAll, retypes, flagName }: WantedTable,
  nowMs: number,
): TableChanges {
  const updates: TableUpdate[] = []
  const changes: string[] = []
  if (upgrade === true && base['format-version'] === 1) {
    updates.push({ action: 'upgrade-format-version', 'format-version': 2 })
    changes.push('upgrade format version 1 to 2')
  } else assertFormatVersion2(base['format-version'], table)
  const requirements: TableRequirement[] = [
    { type: 'assert-current-schema-id', 'current-schema-id': base['current-schema-id'] },
    { type: 'assert-default-spec-id', 'default-spec-id': base['default-spec-id'] },
  ]
  const options = { replacesAll, flagName, retypes, inUse: columnsInUse(base) }
  const evolved = evolveSchema(table, currentSchema(base), columns, base['last-column-id'], renames, options)
  assertNoneInUse(
    table,
    base,
    evolved.schema,
    Object.keys(renames ?? {}).length > 0 ? '--rename' : '--replace-table',
  )
  assertNotNamedAsPartition(table, base, evolved.schema, flagName)
  changes.push(...evolved.changes)
  if (evolved.changes.length > 0) {
    updates.push(
      { action: 'add-schema', schema: evolved.schema },
      { action: 'set-current-schema', 'schema-id': -1 },
    )
    const mapping = base.properties[nameMappingProperty]
    if (mapping !== undefined) {
      const next = { [nameMappingProperty]: updatedNameMapping(mapping, evolved.schema) }
      updates.push({ action: 'set-properties', updates: next })
    }
    requirements.push({
      type: 'assert-last-assigned-field-id',
      'last-assigned-field-id': base['last-column-id'],
    })
  }
  if (partitionBy !== undefined) {
    // The same field may have had another name in an older spec.
    const specs = [defaultSpec(base), ...base['partition-specs']]
    const spec = partitionSpec(evolved.schema, partitionBy, {
      specs,
      lastPartitionId: base['last-partition-id'],
    })
    updates.push({ action: 'add-spec', spec }, { action: 'set-default-spec', 'spec-id': -1 })
    requirements.push({
      type: 'assert-last-assigned-partition-id',
      'last-assigned-partition-id': base['last-partition-id'],
    })
  }
  const metadata = applyUpdates(base, updates, nowMs)
  if (metadata['default-spec-id'] !== base['default-spec-id']) {
    const fields = partitionBy?.map(({ column, transform }) => `${transform.kind} of ${column}`) ?? []
    changes.push(`partition by ${fields.join(', ') || 'nothing'}`)
  }
  return { updates: changes.length > 0 ? updates : [], requirements, metadata, changes }
}

/** Ids of the columns that partition or sort, or did. */
const columnsInUse = (metadata: TableMetadata): number[] =>
  [...metadata['partition-specs'], ...metadata['sort-orders']].flatMap(({ fields }) =>
    fields.map((field) => field['source-id']),
  )

/** A column that partitions or sorts is in the table's metadata for good. */
function assertNoneInUse(table: string, base: TableMetadata, schema: Schema, flag: string): void {
  const used = columnsInUse(base)
  const kept = schema.fields.map(({ id }) => id)
  const gone = currentSchema(base).fields.find(({ id }) => used.includes(id) && !kept.includes(id))
  if (gone === undefined) return
  throw usageError(
    `${flag}: table ${table} is or was partitioned or sorted by ${gone.name}, which cannot go`,
    {
      field: flag,
      fix: `leave ${flag} out, or export to another table`,
    },
  )
}

/**
 * A column that comes under the name of a partition field of another column: Java's readers bind every spec to the current
 * schema and could not load the table any more.
 */
function assertNotNamedAsPartition(
  table: string,
  base: TableMetadata,
  schema: Schema,
  flagName: (column: string) => string = (column) => column,
): void {
  const before = currentSchema(base)
  const taken = base['partition-specs']
    .flatMap(({ fields }) => fields)
    .find(({ name, 'source-id': source }) => {
      const field = fieldByName(schema, name)
      return field !== undefined && field.id !== source && fieldByName(before, name)?.id !== field.id
    })
  if (taken === undefined) return
  throw usageError(
    `table ${table} is or was partitioned by a field named ${taken.name}: with a column of that name Spark and Trino could not load it`,
    {
      field: taken.name,
      fix: `leave the column out with --exclude-columns ${shellWord(flagName(taken.name))}, or export to another table`,
    },
  )
}
