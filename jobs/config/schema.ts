import type { OptionSpec, OptionTable } from '../options/options.ts'
import { groupKeys, sourceKeys, tableKeys } from './keys.ts'

type Json = Readonly<Record<string, unknown>>

const scalar = { type: ['string', 'number', 'boolean'] } as const
const list = { type: 'array', items: scalar, minItems: 1 } as const

/** JSON Schema (draft-07) of `lakejobs.yaml`, for editors; `docs/lakejobs.schema.json` is made of it. */
export function configSchema(options: OptionTable): Json {
  const properties = propertiesOf(options)
  const object = (own: Json): Json => ({
    type: ['object', 'null'],
    additionalProperties: false,
    properties: { ...own, ...properties },
  })
  const named = (value: Json): Json => ({ type: ['object', 'null'], additionalProperties: value })
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'lakejobs.yaml: which tables are exported, and how',
    type: 'object',
    additionalProperties: false,
    required: ['version'],
    properties: {
      version: { const: 1, description: 'of this form' },
      sources: {
        description: 'servers and databases beside the one of POSTGRES_*',
        ...named({
          type: ['object', 'null'],
          additionalProperties: false,
          properties: propertiesOf(sourceKeys),
        }),
      },
      defaults: { description: 'options below the environment', ...object({}) },
      groups: {
        description: 'tables that run together; daily is always there',
        ...named(object(propertiesOf(groupKeys))),
      },
      tables: {
        description: "[source/]schema.table, or a pattern such as 'shop.*'",
        ...named(object(propertiesOf(tableKeys))),
      },
    },
  }
}

const propertiesOf = (options: OptionTable): Json =>
  Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, property(spec)]))

function property(spec: OptionSpec): Json {
  const description = {
    description: spec.describe,
    ...(spec.default === undefined ? {} : { default: spec.default }),
  }
  switch (spec.kind) {
    case 'flag':
      return { ...description, type: ['boolean', 'string'] }
    case 'count':
      return { ...description, type: ['integer', 'string'], minimum: spec.minimum ?? 0 }
    case 'choice':
      return { ...description, enum: [...spec.choices] }
    case 'list':
      return {
        ...description,
        anyOf: [
          scalar,
          list,
          ...(spec.pairs === true
            ? [{ type: 'object', additionalProperties: scalar, minProperties: 1 }]
            : []),
        ],
      }
    default:
      return { ...description, ...scalar }
  }
}
