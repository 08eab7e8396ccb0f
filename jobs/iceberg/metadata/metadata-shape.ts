import * as v from 'valibot'
import { JsonNumber } from '../json/json.ts'

// What is relied on of a metadata file, beside the numbers and names at its top (spec, "Table Metadata Fields" and App. C).

const fields = v.array(
  v.looseObject({ id: v.number(), name: v.string(), required: v.boolean(), type: v.lazy(() => type) }),
)
const nested = v.variant('type', [
  v.looseObject({ type: v.literal('struct'), fields: v.lazy(() => fields) }),
  v.looseObject({ type: v.literal('list'), 'element-id': v.number(), element: v.lazy(() => type) }),
  v.looseObject({
    type: v.literal('map'),
    'key-id': v.number(),
    'value-id': v.number(),
    key: v.lazy(() => type),
    value: v.lazy(() => type),
  }),
])
const type: v.GenericSchema = v.lazy((value) => (typeof value === 'string' ? v.string() : nested))

const long = v.union([v.number(), v.bigint()])
const document = v.looseObject({
  schemas: v.array(v.looseObject({ 'schema-id': v.number(), fields })),
  'partition-specs': v.array(
    v.looseObject({
      'spec-id': v.number(),
      fields: v.array(
        v.looseObject({ 'field-id': v.optional(v.number()), name: v.string(), transform: v.string() }),
      ),
    }),
  ),
  'sort-orders': v.array(v.looseObject({ 'order-id': v.number(), fields: v.array(v.looseObject({})) })),
  properties: v.nullish(v.looseObject({})),
  'current-snapshot-id': v.nullish(long),
  refs: v.nullish(
    v.record(v.string(), v.looseObject({ 'snapshot-id': long, type: v.picklist(['branch', 'tag']) })),
  ),
  'metadata-log': v.nullish(v.array(v.looseObject({ 'metadata-file': v.string() }))),
})

type Item = Readonly<Record<string, unknown>> | null
type Lists = Readonly<Record<'snapshots' | 'snapshot-log', unknown>>

const isLong = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint'
const isTime = (value: unknown): boolean => isLong(value) || value instanceof JsonNumber
const isLogged = (item: Item): boolean => isLong(item?.['snapshot-id']) && isTime(item?.['timestamp-ms'])
/** Early versions named the manifests themselves. */
const isSnapshot = (item: Item): boolean =>
  isLogged(item) && (item?.['manifest-list'] === undefined || typeof item['manifest-list'] === 'string')

/** The path of the first part of a metadata document that is not as the specification has it; undefined: all is. */
export function invalidPart(metadata: object): string | undefined {
  const { issues } = v.safeParse(document, metadata, { abortEarly: true })
  if (issues !== undefined) return v.getDotPath(issues[0]) ?? ''
  // Thousands in a long history, of which no copies are made.
  const { snapshots, 'snapshot-log': log } = metadata as Lists
  return invalidItem('snapshots', snapshots, isSnapshot) ?? invalidItem('snapshot-log', log, isLogged)
}

function invalidItem(key: string, list: unknown, isValid: (item: Item) => boolean): string | undefined {
  if (list === undefined || list === null) return undefined
  if (!Array.isArray(list)) return key
  const at = list.findIndex((item: Item) => !isValid(item))
  return at < 0 ? undefined : `${key}.${at}`
}
