import { dataError, listed, usageError } from '../../errors.ts'
import { fieldById, fieldByName, type Schema } from '../schema/schema.ts'
import {
  formatTransform,
  parseTransform,
  partitionFieldName,
  resultType,
  type PartitionExpression,
  type Transform,
} from './transforms.ts'
import type { PrimitiveType } from '../schema/types.ts'

/** As in the metadata's JSON (spec App. C). */
export interface PartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly PartitionField[]
}

export interface PartitionField {
  readonly 'source-id': number
  readonly 'field-id': number
  readonly name: string
  readonly transform: string
}

/** A field of a partition tuple with everything that is needed to write, read or compare its values. */
export interface PartitionColumnType {
  readonly id: number
  readonly name: string
  readonly sourceId: number
  readonly transform: Transform
  readonly type: PrimitiveType
}

/** The first partition field id; `last-partition-id` of an unpartitioned table is one less. */
export const firstPartitionId = 1000

export const unpartitioned: PartitionSpec = { 'spec-id': 0, fields: [] }

export interface SpecOptions {
  /** The specs that the table has: a field of theirs keeps its id and its name, as version 2 demands. */
  readonly specs?: readonly PartitionSpec[]
  /** New ids start after it. */
  readonly lastPartitionId?: number
  /** Where the expressions come from, as errors call it. */
  readonly setting?: string
}

/**
 * A spec for `--partition-by` expressions over a table's columns. Errors: `JobError` usage for an unknown column, a
 * transform its type does not allow, a name taken twice.
 */
export function partitionSpec(
  schema: Schema,
  expressions: readonly PartitionExpression[],
  { specs = [], lastPartitionId = firstPartitionId - 1, setting = '--partition-by' }: SpecOptions = {},
): PartitionSpec {
  let lastId = lastPartitionId
  const fields = expressions.map((expression): PartitionField => {
    const shown = `${formatTransform(expression.transform)} of ${expression.column}`
    const source = fieldByName(schema, expression.column)
    if (source === undefined)
      throw usageError(`${setting} ${shown}: the table has no such column`, {
        field: setting,
        fix: `use one of ${listed(schema.fields.map(({ name }) => name))}`,
      })
    if (resultType(expression.transform, source.type) === undefined)
      throw usageError(`${setting} ${shown}: not possible for type ${JSON.stringify(source.type)}`, {
        field: setting,
        fix: 'choose a transform that the column’s type allows, or another column',
      })
    const transform = formatTransform(expression.transform)
    const known = specs
      .flatMap((spec) => spec.fields)
      .find((field) => field['source-id'] === source.id && field.transform === transform)
    // Its name stays, too: another program, or a column since renamed, may have given it.
    const name = known?.name ?? partitionFieldName(expression)
    if (expression.transform.kind !== 'identity' && fieldByName(schema, name) !== undefined)
      throw usageError(`${setting} ${shown}: its name ${name} is a column of the table`, {
        field: setting,
        fix: 'partition by that column, or leave it out with --columns',
      })
    return { 'source-id': source.id, 'field-id': known?.['field-id'] ?? ++lastId, name, transform }
  })
  if (new Set(fields.map(({ name }) => name)).size < fields.length)
    throw usageError(`${setting} names one column and transform twice`, {
      field: setting,
      fix: 'leave the second out',
    })
  return { 'spec-id': 0, fields }
}

/** Whether two specs partition alike, whatever their ids. */
export const sameSpec = (a: PartitionSpec, b: PartitionSpec): boolean =>
  a.fields.length === b.fields.length &&
  a.fields.every((field, index) => {
    const other = b.fields[index]!
    return (
      field['source-id'] === other['source-id'] &&
      field.name === other.name &&
      field.transform === other.transform
    )
  })

/**
 * The types of a spec's partition tuple. The source is looked for in `schemas` in order (current first): a
 * spec may outlive its column. Errors: `JobError` data for a transform or type that v2 does not have.
 */
export const partitionType = (spec: PartitionSpec, schemas: readonly Schema[]): PartitionColumnType[] =>
  spec.fields.map((field) => {
    const transform = parseTransform(field.transform)
    const source = schemas.map((schema) => fieldById(schema, field['source-id'])).find((found) => found)
    const type = source && resultType(transform, source.type)
    if (type === undefined)
      throw dataError(
        `partition field ${field.name} has a transform that is not supported: ${field.transform}`,
        {
          field: field.name,
        },
      )
    return { id: field['field-id'], name: field.name, sourceId: field['source-id'], transform, type }
  })
