import { damaged, unlessDamaged } from '../damaged.ts'
import { parseWithArrays, stringifyJson, type JsonValue } from '../json/json.ts'
import { listText, rememberList } from '../json/json-lists.ts'
import { JsonText, parsedLater } from '../json/json-text.ts'
import { invalidPart } from './metadata-shape.ts'
import { mainBranch, type SnapshotRef, type TableMetadata } from './metadata.ts'
import { firstPartitionId } from '../partition/partition-spec.ts'

type Document = Record<string, JsonValue | undefined>

/**
 * Parses a metadata file of any writer: versions 1 (brought into the form of 2, keeping its number) and 2,
 * later ones as far as they can be read. Errors: `JobError` data, naming `location` and the field.
 */
export const parseMetadata = (text: string, location: string): TableMetadata =>
  unlessDamaged(location, () => checked(text, location))

function checked(text: string, location: string): TableMetadata {
  const { value: parsed, arrays } = parseWithArrays(text, location, { array: 'snapshots', member: 'summary' })
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw damaged(location, 'is not table metadata')
  const document: Document = { ...(parsed as Document) }
  const version = document['format-version']
  if (typeof version !== 'number') throw missing(location, 'format-version')
  if (version === 1) fillVersion1(document)
  for (const key of ['last-updated-ms', 'last-column-id', 'current-schema-id', 'default-spec-id'] as const)
    if (typeof document[key] !== 'number') throw missing(location, key)
  for (const key of ['last-sequence-number', 'last-partition-id', 'default-sort-order-id'] as const)
    if (typeof document[key] !== 'number') throw missing(location, key)
  for (const key of ['table-uuid', 'location'] as const)
    if (typeof document[key] !== 'string') throw missing(location, key)
  const invalid = invalidPart(document)
  if (invalid !== undefined) throw missing(location, invalid)
  fillOptional(document, arrays)
  const metadata = document as unknown as TableMetadata
  if (!metadata.schemas.some((schema) => schema['schema-id'] === metadata['current-schema-id']))
    throw missing(location, 'the current schema')
  if (!metadata['partition-specs'].some((spec) => spec['spec-id'] === metadata['default-spec-id']))
    throw missing(location, 'the default partition spec')
  return metadata
}

const missing = (location: string, key: string): Error => damaged(location, `has no valid ${key}`)

/**
 * The document's bytes; unknown fields of other writers included. The long lists, to which commits only add, are
 * written as they came (`listText`).
 */
export function metadataBytes(metadata: TableMetadata): Buffer {
  const members = Object.entries(metadata).filter(([, value]) => value !== undefined)
  const pieces = members.flatMap(([key, value], index) => [
    `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`,
    ...(isGrowing(key) && Array.isArray(value)
      ? ['[', ...listText(value as readonly object[]), ']']
      : [stringifyJson(value as JsonValue)]),
  ])
  pieces.push('}')
  const bytes = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0))
  let at = 0
  for (const piece of pieces) at += bytes.write(piece, at)
  return bytes
}

const isGrowing = (key: string): boolean => key === 'snapshots' || key === 'snapshot-log'

/** What version 1 wrote differently (spec App. E, "Version 2"). */
function fillVersion1(document: Document): void {
  const schema = document['schema'] as Document | undefined
  const specFields = document['partition-spec'] as readonly Document[] | undefined
  document['last-sequence-number'] ??= 0
  document['schemas'] ??= schema === undefined ? [] : [{ ...schema, 'schema-id': schema['schema-id'] ?? 0 }]
  document['current-schema-id'] ??= schema?.['schema-id'] ?? 0
  document['partition-specs'] ??= [
    {
      'spec-id': 0,
      // Version 1 numbered them by position.
      fields: (specFields ?? []).map((field, index) => ({
        ...field,
        'field-id': field['field-id'] ?? firstPartitionId + index,
      })),
    },
  ]
  document['default-spec-id'] ??= 0
  const specs = document['partition-specs'] as unknown as TableMetadata['partition-specs']
  document['last-partition-id'] ??= Math.max(
    firstPartitionId - 1,
    ...specs.flatMap((spec) => spec.fields.map((field) => field['field-id'])),
  )
  document['sort-orders'] ??= [{ 'order-id': 0, fields: [] }]
  document['default-sort-order-id'] ??= 0
  document['table-uuid'] ??= ''
  delete document['schema']
  delete document['partition-spec']
}

/** Absent lists become empty, ids bigint, in place; -1 and null both mean no current snapshot. */
function fillOptional(document: Document, arrays: ReadonlyMap<string, string>): void {
  document['properties'] ??= {}
  const snapshots = list(document['snapshots'])
  const asWritten = snapshots.every(isAsWritten)
  snapshots.forEach(fillSnapshot)
  document['snapshots'] = snapshots as JsonValue
  if (asWritten) rememberList(snapshots, arrays.get('snapshots'))
  const log = list(document['snapshot-log'])
  for (const entry of log) entry['snapshot-id'] = id(entry['snapshot-id'])
  document['snapshot-log'] = log as JsonValue
  rememberList(log, arrays.get('snapshot-log'))
  document['metadata-log'] ??= []
  const current = document['current-snapshot-id']
  if (current === undefined || current === null || current === -1) delete document['current-snapshot-id']
  else document['current-snapshot-id'] = id(current)
  const refs = (document['refs'] ?? {}) as Record<string, Document>
  const parsed = Object.fromEntries(
    Object.entries(refs).map(([name, ref]) => [name, { ...ref, 'snapshot-id': id(ref['snapshot-id']) }]),
  ) as unknown as Record<string, SnapshotRef>
  const currentId = document['current-snapshot-id']
  if (typeof currentId === 'bigint') parsed[mainBranch] ??= { 'snapshot-id': currentId, type: 'branch' }
  document['refs'] = parsed as unknown as JsonValue
}

const list = (value: JsonValue | undefined): readonly Document[] =>
  (value ?? []) as unknown as readonly Document[]

const id = (value: JsonValue | undefined): bigint => BigInt(value as number | bigint)

/** Whether `fillSnapshot` changes nothing that is written. */
const isAsWritten = ({
  'sequence-number': sequence,
  summary,
  'parent-snapshot-id': parent,
}: Document): boolean =>
  typeof sequence === 'number' && summary !== undefined && parent !== null && parent !== -1

/** Makes a `Snapshot` of it, in place: copies of thousands would be most of a parse. */
function fillSnapshot(document: Document): void {
  const { 'parent-snapshot-id': parent, summary } = document
  document['snapshot-id'] = id(document['snapshot-id'])
  document['sequence-number'] = Number(document['sequence-number'] ?? 0)
  if (parent === undefined || parent === null || parent === -1) delete document['parent-snapshot-id']
  else document['parent-snapshot-id'] = id(parent)
  document['summary'] = summary instanceof JsonText ? parsedLater(summary) : (summary ?? {})
}
