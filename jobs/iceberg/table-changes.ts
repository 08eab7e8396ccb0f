import { stringifyJson, type JsonValue } from './json.ts'
import { currentSchema, type TableMetadata } from './metadata.ts'
import { partitionSpec } from './partition-spec.ts'
import type { TableRequirement } from './requirements.ts'
import { nameMapping } from './schema.ts'
import { evolveSchema, type WantedColumn } from './schema-evolution.ts'
import type { PartitionExpression } from './transforms.ts'
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

/**
 * Lets a table follow its source's columns (`evolveSchema`) and, with `partitionBy`, changes its default spec.
 * Nothing to change gives no updates. `nowMs` is the time of the commit. Errors: those of `evolveSchema` and
 * `partitionSpec`.
 */
export function tableChanges(
  table: string,
  base: TableMetadata,
  wanted: readonly WantedColumn[],
  partitionBy: readonly PartitionExpression[] | undefined,
  nowMs: number,
): TableChanges {
  const updates: TableUpdate[] = []
  const requirements: TableRequirement[] = [
    { type: 'assert-current-schema-id', 'current-schema-id': base['current-schema-id'] },
    { type: 'assert-default-spec-id', 'default-spec-id': base['default-spec-id'] },
  ]
  const evolved = evolveSchema(table, currentSchema(base), wanted, base['last-column-id'])
  const changes = [...evolved.changes]
  if (changes.length > 0) {
    const mapping = stringifyJson(nameMapping(evolved.schema) as unknown as JsonValue)
    updates.push(
      { action: 'add-schema', schema: evolved.schema },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'set-properties', updates: { 'schema.name-mapping.default': mapping } },
    )
    requirements.push({
      type: 'assert-last-assigned-field-id',
      'last-assigned-field-id': base['last-column-id'],
    })
  }
  if (partitionBy !== undefined) {
    const specs = base['partition-specs']
    const spec = partitionSpec(evolved.schema, partitionBy, specs, base['last-partition-id'])
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
