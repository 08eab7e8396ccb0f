import { describe, expect, it } from '@jest/globals'
import { JobError } from '../../../jobs/errors.ts'
import { newTableMetadata } from '../../../jobs/iceberg/catalog/stored/table-creation.ts'
import { metadataBytes, parseMetadata } from '../../../jobs/iceberg/metadata/metadata-json.ts'
import type { Snapshot, TableMetadata } from '../../../jobs/iceberg/metadata/metadata.ts'
import { checkRequirements, type TableRequirement } from '../../../jobs/iceberg/metadata/requirements.ts'
import { applyUpdates, logPrevious, type TableUpdate } from '../../../jobs/iceberg/metadata/updates.ts'
import { byDay, webLogsSchema } from '../tables.ts'
import { without } from '../../support/without.ts'

const stringifyMetadata = (metadata: TableMetadata): string => metadataBytes(metadata).toString()

const now = Date.parse('2024-05-01T00:00:00Z')
const fresh = newTableMetadata(
  byDay,
  'memory://lake/default/web_logs/',
  'b9d57b2a-3d2c-4a3e-9a4e-0f2c4d6e8f10',
  now,
)
const bigId = 8103159149723679873n
const snapshot = (id: bigint, sequence: number, at = now): Snapshot => ({
  'snapshot-id': id,
  'sequence-number': sequence,
  'timestamp-ms': at,
  'manifest-list': `memory://lake/snap-${id}.avro`,
  summary: { operation: 'append' },
})
const commitOf = (one: Snapshot): TableUpdate[] => [
  { action: 'add-snapshot', snapshot: one },
  { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': one['snapshot-id'] },
]
const withSnapshots = (...ids: bigint[]): TableMetadata =>
  ids.reduce((metadata, id, i) => applyUpdates(metadata, commitOf(snapshot(id, i + 1)), now), fresh)

describe('a new table', () => {
  it('has every field that version 2 requires', () => {
    expect(JSON.parse(stringifyMetadata(fresh))).toEqual({
      'format-version': 2,
      'table-uuid': 'b9d57b2a-3d2c-4a3e-9a4e-0f2c4d6e8f10',
      location: 'memory://lake/default/web_logs',
      'last-sequence-number': 0,
      'last-updated-ms': now,
      'last-column-id': 3,
      schemas: [webLogsSchema],
      'current-schema-id': 0,
      'partition-specs': [
        {
          'spec-id': 0,
          fields: [{ 'source-id': 1, 'field-id': 1000, name: 'timestamp_day', transform: 'day' }],
        },
      ],
      'default-spec-id': 0,
      'last-partition-id': 1000,
      'sort-orders': [{ 'order-id': 0, fields: [] }],
      'default-sort-order-id': 0,
      properties: {
        'schema.name-mapping.default':
          '[{"field-id":1,"names":["timestamp"]},{"field-id":2,"names":["user_id"]},{"field-id":3,"names":["url"]}]',
      },
      snapshots: [],
      'snapshot-log': [],
      'metadata-log': [],
      refs: {},
    })
  })

  it('gets ids of its own, and its spec follows them', () => {
    const schema = {
      ...webLogsSchema,
      fields: webLogsSchema.fields.map((field) => ({ ...field, id: field.id * 10 })).reverse(),
    }
    const spec = { 'spec-id': 0, fields: [{ ...byDay.spec!.fields[0]!, 'source-id': 10 }] }
    const metadata = newTableMetadata({ schema, spec }, 'memory://a', 'u', now)
    expect(metadata.schemas[0]!.fields.map(({ id, name }) => [id, name])).toEqual([
      [1, 'url'],
      [2, 'user_id'],
      [3, 'timestamp'],
    ])
    expect(metadata['partition-specs'][0]!.fields[0]!['source-id']).toBe(3)
    expect(newTableMetadata({ schema }, 'memory://a', 'u', now)['last-partition-id']).toBe(999)
  })
})

describe('metadata of other writers', () => {
  const foreign = stringifyMetadata(withSnapshots(bigId, 5n))
    .replace(
      /^\{/,
      '{"next-row-id":9007199254740993,"statistics":[{"snapshot-id":8103159149723679873,"x":1.50}],',
    )
    .replace('"schema-id":0', '"schema-id":0,"foreign":{"a":1e3}')

  it('survives reading and writing byte for byte, unknown fields and numbers included', () => {
    const parsed = parseMetadata(foreign, 'x')
    expect(parsed.snapshots.map((one) => one['snapshot-id'])).toEqual([bigId, 5n])
    expect(parsed['current-snapshot-id']).toBe(5n)
    expect(stringifyMetadata(parsed)).toBe(foreign)
    const next = applyUpdates(parsed, [{ action: 'set-properties', updates: { a: '1' } }], now)
    expect(stringifyMetadata(next)).toContain(
      '"next-row-id":9007199254740993,"statistics":[{"snapshot-id":8103159149723679873,"x":1.50}]',
    )
  })

  it.each(['"current-snapshot-id":-1', '"current-snapshot-id":null', '"x":0'])(
    'has no snapshot: %s',
    (none) => {
      const parsed = parseMetadata(stringifyMetadata(fresh).replace(/^\{/, `{${none},`), 'x')
      expect(parsed['current-snapshot-id']).toBeUndefined()
      expect(parsed.refs).toEqual({})
    },
  )

  it('gets its main branch from the current snapshot where there are no refs', () => {
    const document = JSON.parse(stringifyMetadata(withSnapshots(5n))) as Record<string, unknown>
    expect(parseMetadata(JSON.stringify(without(document, 'refs')), 'x').refs).toEqual({
      main: { 'snapshot-id': 5n, type: 'branch' },
    })
  })

  it('of version 1 is read, and refused for commits until it is upgraded', () => {
    const version1 = {
      'format-version': 1,
      location: 's3://b/t',
      'last-updated-ms': now,
      'last-column-id': 3,
      schema: { type: 'struct', fields: webLogsSchema.fields },
      'partition-spec': [{ 'source-id': 1, name: 'timestamp_day', transform: 'day' }],
      'current-snapshot-id': 5,
      snapshots: [{ 'snapshot-id': 5, 'timestamp-ms': now, 'manifest-list': 's3://b/l.avro' }],
    }
    const parsed = parseMetadata(JSON.stringify(version1), 'x')
    expect(parsed).toMatchObject({
      'current-schema-id': 0,
      schemas: [webLogsSchema],
      'default-spec-id': 0,
      'partition-specs': [{ 'spec-id': 0, fields: [{ 'field-id': 1000 }] }],
      'last-partition-id': 1000,
      'last-sequence-number': 0,
      snapshots: [{ 'snapshot-id': 5n, 'sequence-number': 0, summary: {} }],
    })
    expect(() => applyUpdates(parsed, [], now)).toThrow(
      'has format version 1, which can be read but not changed',
    )
    const upgraded = applyUpdates(parsed, [{ action: 'upgrade-format-version', 'format-version': 2 }], now)
    expect(Object.keys(upgraded)).not.toContain('schema')
  })

  it('of version 3 is refused for commits with the reason', () => {
    const parsed = parseMetadata(stringifyMetadata({ ...fresh, 'format-version': 3 }), 'x')
    expect(() => applyUpdates(parsed, [], now)).toThrow(
      expect.objectContaining({ code: 'data', fix: expect.stringContaining('row lineage') }),
    )
  })

  it.each([
    'location',
    'table-uuid',
    'schemas',
    'partition-specs',
    'sort-orders',
    'last-sequence-number',
    'last-partition-id',
  ])('without %s is refused, naming file and field', (key) => {
    const document = JSON.parse(stringifyMetadata(fresh)) as Record<string, unknown>
    expect(() => parseMetadata(JSON.stringify(without(document, key)), 's3://b/x.metadata.json')).toThrow(
      `s3://b/x.metadata.json has no valid ${key}`,
    )
  })
})

describe('requirements', () => {
  const metadata = withSnapshots(bigId)
  const held: TableRequirement[] = [
    { type: 'assert-table-uuid', uuid: 'B9D57B2A-3D2C-4A3E-9A4E-0F2C4D6E8F10' },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': bigId },
    { type: 'assert-ref-snapshot-id', ref: 'other', 'snapshot-id': null },
    { type: 'assert-current-schema-id', 'current-schema-id': 0 },
    { type: 'assert-default-spec-id', 'default-spec-id': 0 },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 3 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1000 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
  ]
  const broken: TableRequirement[] = [
    { type: 'assert-create' },
    { type: 'assert-table-uuid', uuid: 'x' },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': bigId - 1n },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
    { type: 'assert-current-schema-id', 'current-schema-id': 1 },
    { type: 'assert-default-spec-id', 'default-spec-id': 1 },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 4 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1001 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 1 },
  ]

  it('that hold pass', () => {
    expect(() => {
      checkRequirements(metadata, held)
    }).not.toThrow()
    expect(() => {
      checkRequirements(undefined, [{ type: 'assert-create' }])
    }).not.toThrow()
  })

  it.each(broken.map((one) => [one.type, one] as const))('%s fails as a conflict', (_type, requirement) => {
    expect(() => {
      checkRequirements(metadata, [requirement])
    }).toThrow(expect.objectContaining({ name: 'JobError', code: 'conflict' }))
  })
})

describe('updates', () => {
  it('set the current snapshot, its log entry and the ref together', () => {
    const metadata = withSnapshots(1n, 2n)
    expect(metadata['current-snapshot-id']).toBe(2n)
    expect(metadata.refs['main']).toEqual({ 'snapshot-id': 2n, type: 'branch' })
    expect(metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([1n, 2n])
    expect(metadata['last-sequence-number']).toBe(2)
  })

  it('to another branch leave the current snapshot alone', () => {
    const one = snapshot(7n, 2)
    const metadata = applyUpdates(
      withSnapshots(1n),
      [
        { action: 'add-snapshot', snapshot: one },
        { action: 'set-snapshot-ref', 'ref-name': 'audit', type: 'branch', 'snapshot-id': 7n },
      ],
      now,
    )
    expect(metadata['current-snapshot-id']).toBe(1n)
    expect(metadata['snapshot-log']).toHaveLength(1)
    expect(
      applyUpdates(metadata, [{ action: 'remove-snapshot-ref', 'ref-name': 'audit' }], now).refs,
    ).not.toHaveProperty('audit')
  })

  it.each([
    ['an id twice', [{ action: 'add-snapshot', snapshot: snapshot(1n, 2) }]],
    ['a sequence number that is not new', [{ action: 'add-snapshot', snapshot: snapshot(2n, 1) }]],
    ['a time more than a minute back', [{ action: 'add-snapshot', snapshot: snapshot(2n, 2, now - 60_001) }]],
    ['a ref to nothing', [{ action: 'set-snapshot-ref', 'ref-name': 'x', type: 'tag', 'snapshot-id': 9n }]],
    ['an unknown schema', [{ action: 'set-current-schema', 'schema-id': 9 }]],
    ['a lower format version', [{ action: 'upgrade-format-version', 'format-version': 1 }]],
    ['removal of what a branch points to', [{ action: 'remove-snapshots', 'snapshot-ids': [1n] }]],
  ] as [string, TableUpdate[]][])('refuse %s', (_what, updates) => {
    expect(() => applyUpdates(withSnapshots(1n), updates, now)).toThrow(JobError)
  })

  it('expire snapshots and the history up to them', () => {
    const metadata = applyUpdates(
      withSnapshots(1n, 2n, 3n),
      [{ action: 'remove-snapshots', 'snapshot-ids': [2n] }],
      now,
    )
    expect(metadata.snapshots.map((one) => one['snapshot-id'])).toEqual([1n, 3n])
    expect(metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([3n])
  })

  it('know a schema and a spec again instead of adding them twice', () => {
    const other = { ...webLogsSchema, fields: webLogsSchema.fields.slice(0, 2) }
    const back: TableUpdate[] = [
      { action: 'add-schema', schema: { ...webLogsSchema, 'schema-id': 77 } },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'add-spec', spec: { ...byDay.spec!, 'spec-id': 77 } },
      { action: 'set-default-spec', 'spec-id': -1 },
    ]
    const away: TableUpdate[] = [
      { action: 'add-schema', schema: other },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    ]
    const changed = applyUpdates(fresh, away, now)
    expect([changed['current-schema-id'], changed['default-spec-id'], changed['last-column-id']]).toEqual([
      1, 1, 3,
    ])
    const restored = applyUpdates(changed, back, now)
    expect([restored['current-schema-id'], restored['default-spec-id']]).toEqual([0, 0])
    expect([restored.schemas.length, restored['partition-specs'].length]).toEqual([2, 2])
  })

  it('never move time backwards', () => {
    const later = applyUpdates(fresh, [], now + 5)
    expect(applyUpdates(later, [], now - 100_000)['last-updated-ms']).toBe(now + 5)
  })

  it('set and remove properties', () => {
    const metadata = applyUpdates(
      fresh,
      [
        { action: 'set-properties', updates: { a: '1', b: '2' } },
        { action: 'remove-properties', removals: ['a', 'schema.name-mapping.default'] },
      ],
      now,
    )
    expect(metadata.properties).toEqual({ b: '2' })
  })
})

it('the metadata log is bounded by write.metadata.previous-versions-max', () => {
  let metadata = applyUpdates(
    fresh,
    [{ action: 'set-properties', updates: { 'write.metadata.previous-versions-max': '2' } }],
    now,
  )
  for (const file of ['a', 'b', 'c']) metadata = logPrevious(metadata, metadata, file)
  expect(metadata['metadata-log'].map((entry) => entry['metadata-file'])).toEqual(['b', 'c'])
})

describe('snapshots that were read are written as they came', () => {
  const snapshot = (id: string, more = ''): string =>
    `{ "sequence-number": 1, "snapshot-id": ${id}, "timestamp-ms": 1.0e3, "manifest-list": "a\\u00e9", "summary": {"x": "[{\\"]"}${more}}`
  const documentOf = (snapshots: string): string =>
    stringifyMetadata(fresh).replace('"snapshots":[]', () => `"snapshots":${snapshots}`)

  it('with their white space, escapes and numbers, before a new one', () => {
    const text = `[${snapshot('8103159149723679872')},\n ${snapshot('2', ', "parent-snapshot-id": 8103159149723679872')}]`
    const metadata = parseMetadata(documentOf(text), 'x')
    expect(stringifyMetadata(metadata)).toContain(`"snapshots":${text}`)
    const added = { ...metadata.snapshots[1]!, 'snapshot-id': 3n }
    const next = { ...metadata, snapshots: [...metadata.snapshots, added] }
    const written = stringifyMetadata(next)
    expect(written).toContain(`"snapshots":${text.slice(0, -1)},{"sequence-number":1,"snapshot-id":3,`)
    expect(parseMetadata(written, 'x')).toEqual(next)
    expect(stringifyMetadata({ ...next, snapshots: [added] })).not.toContain('8103159149723679872,')
    expect(parseMetadata(stringifyMetadata({ ...next, snapshots: [added] }), 'x').snapshots).toEqual([added])
  })

  it('with summaries that nobody asked for', () => {
    const plain = snapshot('1').replace('{"x": "[{\\"]"}', '{ "operation":"append", "é": "}1.5" }')
    const text = `[${plain},${plain.replace('"snapshot-id": 1', '"snapshot-id": 2')}]`
    const metadata = parseMetadata(documentOf(text), 'x')
    expect(stringifyMetadata(metadata)).toContain(`"snapshots":${text}`)
    const [first] = metadata.snapshots
    const alone = stringifyMetadata({ ...metadata, snapshots: [first!] })
    expect(alone).toContain('"summary":{"operation":"append","é":"}1.5"}}]')
    expect({ ...first }.summary).toEqual({ operation: 'append', é: '}1.5' })
  })

  it('unless they lack what version 2 requires', () => {
    const first = snapshot('5', ', "parent-snapshot-id": -1')
    const metadata = parseMetadata(documentOf(`[${first}]`), 'x')
    expect(stringifyMetadata(metadata)).not.toContain('parent-snapshot-id')
  })

  it('and of a member that is there twice the last one', () => {
    const text = documentOf(`[${snapshot('1')}]`).replace('{', () => `{"snapshots":[${snapshot('9')}],`)
    const metadata = parseMetadata(text, 'x')
    expect(parseMetadata(stringifyMetadata(metadata), 'x').snapshots).toEqual(metadata.snapshots)
    const nested = documentOf('[]').replace('{', () => `{"other":{"snapshots":[${snapshot('9')}]},`)
    expect(parseMetadata(stringifyMetadata(parseMetadata(nested, 'x')), 'x').snapshots).toEqual([])
  })
})
