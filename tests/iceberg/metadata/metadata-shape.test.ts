import { expect, it } from '@jest/globals'
import { gzipSync } from 'node:zlib'
import { JobError } from '../../../jobs/errors.ts'
import { readMetadataFile } from '../../../jobs/iceberg/catalog/stored/metadata-file.ts'
import { parseMetadata } from '../../../jobs/iceberg/metadata/metadata-json.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const location = 's3://b/x.metadata.json'
const struct = (fields: readonly object[]): object => ({ type: 'struct', fields })
const field = (id: number, type: unknown): object => ({ id, name: `c${id}`, required: false, type })

/** A table with each kind of part. */
const document = (): Record<string, unknown> => ({
  'format-version': 2,
  'table-uuid': 'b9d57b2a-3d2c-4a3e-9a4e-0f2c4d6e8f10',
  location: 's3://b/t',
  'last-sequence-number': 1,
  'last-updated-ms': 1,
  'last-column-id': 8,
  schemas: [
    {
      'schema-id': 0,
      ...struct([
        field(1, 'timestamptz'),
        field(2, struct([field(3, 'int')])),
        field(4, { type: 'list', 'element-id': 5, element: 'string', 'element-required': true }),
        field(6, {
          ...{ type: 'map', 'key-id': 7, key: 'string', 'value-id': 8, value: 'long' },
          'value-required': false,
        }),
      ]),
    },
  ],
  'current-schema-id': 0,
  'partition-specs': [
    { 'spec-id': 0, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'd', transform: 'day' }] },
  ],
  'default-spec-id': 0,
  'last-partition-id': 1000,
  'sort-orders': [{ 'order-id': 0, fields: [] }],
  'default-sort-order-id': 0,
  properties: { a: 'b' },
  'current-snapshot-id': 5,
  snapshots: [
    {
      ...{
        'snapshot-id': 5,
        'sequence-number': 1,
        'timestamp-ms': 1,
        'manifest-list': 's3://b/t/snap-5.avro',
      },
      summary: { operation: 'append' },
    },
  ],
  'snapshot-log': [{ 'snapshot-id': 5, 'timestamp-ms': 1 }],
  'metadata-log': [{ 'metadata-file': 's3://b/w.metadata.json', 'timestamp-ms': 1 }],
  refs: { main: { 'snapshot-id': 5, type: 'branch' } },
})

/** Puts a value in the place of a part, or takes the part away. */
function changed(path: string, value: unknown): string {
  const all = document()
  const steps = path.split('.')
  const last = steps.pop()!
  const part = steps.reduce<Record<string, unknown>>((at, step) => at[step] as Record<string, unknown>, all)
  part[last] = value
  return JSON.stringify(all)
}

it.each([
  ['schemas.0.schema-id', undefined],
  ['schemas.0.fields', {}],
  ['schemas.0.fields.0.type', undefined],
  ['schemas.0.fields.0.name', 7],
  ['schemas.0.fields.1.type.fields.0.id', 'x'],
  ['schemas.0.fields.1.type.type', 'strict'],
  ['schemas.0.fields.2.type.element', undefined],
  ['schemas.0.fields.3.type.value', 9],
  ['partition-specs.0.fields.0.transform', undefined],
  ['partition-specs.0.spec-id', '0'],
  ['sort-orders.0.fields', undefined],
  ['current-snapshot-id', '5'],
  ['refs.main.snapshot-id', undefined],
  ['refs.main.type', 'brunch'],
  ['metadata-log.0.metadata-file', undefined],
  ['snapshots', {}],
  ['snapshots.0', null],
  ['snapshot-log.0', { 'snapshot-id': '5', 'timestamp-ms': 1 }],
])('%s that is %p is refused, naming file and part', (path, value) => {
  expect(() => parseMetadata(changed(path, value), location)).toThrow(`${location} has no valid ${path}`)
})

it.each([
  ['snapshot-id', undefined],
  ['timestamp-ms', 'noon'],
  ['manifest-list', 7],
])('a snapshot whose %s is %p is refused', (key, value) => {
  expect(() => parseMetadata(changed(`snapshots.0.${key}`, value), location)).toThrow(
    `${location} has no valid snapshots.0`,
  )
})

it.each([
  ['properties', null],
  ['current-snapshot-id', -1],
  ['refs', undefined],
  ['snapshots.0.manifest-list', undefined],
  ['partition-specs.0.fields.0.field-id', undefined],
  ['schemas.0.fields.0.type', 'a type of a later version'],
])('%s may be %p', (path, value) => {
  expect(() => parseMetadata(changed(path, value), location)).not.toThrow()
})

/** As version 1 wrote it: its readers find the other numbers. */
function version1(): Record<string, unknown> {
  const { schemas, 'partition-specs': specs, ...rest } = document()
  const [schema] = schemas as object[]
  const [{ fields }] = specs as [{ readonly fields: unknown }]
  const none = {
    'current-schema-id': undefined,
    'default-spec-id': undefined,
    'last-partition-id': undefined,
  }
  return { ...rest, ...none, 'format-version': 1, schema, 'partition-spec': fields }
}

it('a text that is no JSON is a damage, too, with what can be done about it', () => {
  const thrown = (): unknown => {
    try {
      return parseMetadata('{"format-version":2,', location)
    } catch (error) {
      return error
    }
  }
  expect(thrown()).toMatchObject({
    code: 'data',
    field: location,
    message: expect.stringContaining(`${location} is not valid JSON`) as unknown,
    fix: expect.stringContaining('docs/recovery.md') as unknown,
  })
})

it('compressed bytes that are cut short are a damage, too', async () => {
  const io = memoryFileIO(() => new Date(0))
  await io.write(location, gzipSync('{}').subarray(0, 12))
  await expect(readMetadataFile(io, location)).rejects.toMatchObject({
    code: 'data',
    field: location,
    fix: expect.stringContaining('docs/recovery.md') as unknown,
  })
})

it('of version 1 a spec that is no list is a damage', () => {
  const text = JSON.stringify({ ...version1(), 'partition-spec': {} })
  expect(() => parseMetadata(text, location)).toThrow(`${location} is damaged: `)
})

it.each([
  ['version 1', version1],
  ['version 2', document],
])('of %s a character that is another one is read, or refused by name', (_, make) => {
  const text = JSON.stringify(make())
  expect(() => parseMetadata(text, location)).not.toThrow()
  const others: unknown[] = []
  for (let at = 0; at < text.length; at++) {
    const other = String.fromCharCode(text.charCodeAt(at) ^ (at % 2 === 0 ? 1 : 4))
    try {
      parseMetadata(text.slice(0, at) + other + text.slice(at + 1), location)
    } catch (error) {
      const isRefusal = error instanceof JobError && error.code === 'data' && error.field === location
      if (!isRefusal) others.push(error)
    }
  }
  expect(others).toEqual([])
})
