import type { TableMetadata } from '../../metadata/metadata.ts'
import { unpartitioned } from '../../partition/partition-spec.ts'
import { nameMappingProperty, nameMappingText } from '../../schema/name-mapping.ts'
import { assignFreshIds, fieldById, fieldByName, type Schema } from '../../schema/schema.ts'
import { applyUpdates, type TableUpdate } from '../../metadata/updates.ts'
import { usageError } from '../../../errors.ts'
import type { TableCreation } from '../catalog.ts'

/**
 * The updates that make a new table: fresh field ids, the spec rewritten to them, and the name mapping, so
 * that readers without field ids find the columns too.
 */
function creationUpdates(creation: TableCreation, location: string, uuid: string): TableUpdate[] {
  let lastId = 0
  const schema: Schema = {
    ...creation.schema,
    'schema-id': 0,
    fields: assignFreshIds(creation.schema.fields, () => ++lastId),
  }
  const spec = creation.spec ?? unpartitioned
  const fields = spec.fields.map((field) => {
    const name = fieldById(creation.schema, field['source-id'])?.name
    const source = name === undefined ? undefined : fieldByName(schema, name)
    if (source === undefined)
      throw usageError(`partition field ${field.name} has no source column`, { field: field.name })
    return { ...field, 'source-id': source.id }
  })
  return [
    { action: 'assign-uuid', uuid },
    { action: 'upgrade-format-version', 'format-version': 2 },
    { action: 'set-location', location },
    { action: 'add-schema', schema },
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'add-spec', spec: { 'spec-id': 0, fields } },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    {
      action: 'set-properties',
      updates: {
        [nameMappingProperty]: nameMappingText(schema),
        ...creation.properties,
      },
    },
  ]
}

/** The metadata of a new table before its first snapshot; pure. */
export const newTableMetadata = (
  creation: TableCreation,
  location: string,
  uuid: string,
  nowMs: number,
): TableMetadata => applyUpdates(undefined, creationUpdates(creation, location, uuid), nowMs)
