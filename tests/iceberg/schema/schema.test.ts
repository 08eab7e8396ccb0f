import { describe, expect, it } from '@jest/globals'
import { alwaysTrue } from '../../../jobs/iceberg/expression/predicate.ts'
import { commitSnapshot } from '../../../jobs/iceberg/snapshot/commit.ts'
import {
  assignFreshIds,
  fieldById,
  highestFieldId,
  nameMapping,
  sameSchema,
  type Schema,
} from '../../../jobs/iceberg/schema/schema.ts'
import { evolveSchema, type WantedColumn } from '../../../jobs/iceberg/schema/schema-evolution.ts'
import { tableChanges } from '../../../jobs/iceberg/metadata/table-changes.ts'
import { parsePartitionExpression } from '../../../jobs/iceberg/partition/transforms.ts'
import { asPrimitive } from '../../../jobs/iceberg/schema/types.ts'
import {
  byDay,
  contents,
  dataFile,
  dayNumber,
  emptyTable,
  lakeInMemory,
  request,
  webLogs,
  webLogsSchema,
} from '../tables.ts'
import { without } from '../../support/without.ts'

const nested: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    {
      id: 7,
      name: 'a',
      required: true,
      type: { type: 'list', 'element-id': 9, 'element-required': true, element: 'int' },
    },
    {
      id: 8,
      name: 'b',
      required: false,
      type: {
        type: 'map',
        'key-id': 20,
        key: 'string',
        'value-id': 21,
        'value-required': false,
        value: { type: 'struct', fields: [{ id: 22, name: 'c', required: true, type: 'long' }] },
      },
    },
  ],
}

describe('schema', () => {
  it('numbers a level before its children', () => {
    let last = 0
    const fields = assignFreshIds(nested.fields, () => ++last)
    expect(fields).toMatchObject([
      { id: 1, type: { 'element-id': 3 } },
      { id: 2, type: { 'key-id': 4, 'value-id': 5, value: { fields: [{ id: 6 }] } } },
    ])
    expect(highestFieldId(nested)).toBe(22)
    expect(fieldById(nested, 8)?.name).toBe('b')
  })

  it('has a name mapping with elements, keys and values', () => {
    expect(nameMapping(nested)).toEqual([
      { 'field-id': 7, names: ['a'], fields: [{ 'field-id': 9, names: ['element'] }] },
      {
        'field-id': 8,
        names: ['b'],
        fields: [
          { 'field-id': 20, names: ['key'] },
          { 'field-id': 21, names: ['value'], fields: [{ 'field-id': 22, names: ['c'] }] },
        ],
      },
    ])
  })

  it('is compared by columns, not by id or the order of JSON keys', () => {
    const reordered = JSON.parse(
      '{"schema-id":9,"fields":[{"name":"x","id":1,"type":"int","required":false}],"type":"struct"}',
    ) as Schema
    const one: Schema = {
      type: 'struct',
      'schema-id': 0,
      fields: [{ id: 1, name: 'x', required: false, type: 'int' }],
    }
    expect(sameSchema(one, reordered)).toBe(true)
    expect(sameSchema(one, { ...one, fields: [{ ...one.fields[0]!, id: 2 }] })).toBe(false)
    expect(sameSchema(one, { ...one, 'identifier-field-ids': [1] })).toBe(false)
  })
})

it('parses primitive types', () => {
  expect(asPrimitive('decimal(9, 2)')).toEqual({ kind: 'decimal', precision: 9, scale: 2 })
  expect(asPrimitive('fixed[16]')).toEqual({ kind: 'fixed', length: 16 })
  expect(asPrimitive('timestamp_ns')).toBeUndefined()
})

describe('evolution', () => {
  const current: Schema = {
    type: 'struct',
    'schema-id': 4,
    fields: [
      { id: 1, name: 'i', required: true, type: 'int' },
      { id: 2, name: 'f', required: false, type: 'float' },
      { id: 3, name: 'd', required: true, type: 'decimal(9,2)' },
    ],
  }
  const columns: WantedColumn[] = current.fields.map(({ name, type, required }) => ({ name, type, required }))

  it('of nothing is the current schema', () => {
    expect(evolveSchema('t', current, columns, 3)).toEqual({ schema: current, lastColumnId: 3, changes: [] })
  })

  it('adds, widens and makes optional', () => {
    const { schema, lastColumnId, changes } = evolveSchema(
      't',
      current,
      [
        { name: 'new', type: 'uuid', required: true },
        { name: 'i', type: 'long', required: false },
        { name: 'f', type: 'double', required: false },
      ],
      9,
    )
    expect(schema.fields).toEqual([
      { id: 1, name: 'i', required: false, type: 'long' },
      { id: 2, name: 'f', required: false, type: 'double' },
      { id: 3, name: 'd', required: false, type: 'decimal(9,2)' },
      { id: 10, name: 'new', required: false, type: 'uuid' },
    ])
    expect(lastColumnId).toBe(10)
    expect(changes).toEqual([
      'change i from int to long',
      'make i optional',
      'change f from float to double',
      'make d optional',
      'add column new uuid',
    ])
  })

  it('widens decimals of the same scale only', () => {
    const to = (type: string): WantedColumn[] =>
      columns.map((column) => (column.name === 'd' ? { ...column, type } : column))
    expect(evolveSchema('t', current, to('decimal(10,2)'), 3).changes).toEqual([
      'change d from decimal(9,2) to decimal(10,2)',
    ])
    for (const type of ['decimal(8,2)', 'decimal(10,3)', 'string', 'int'])
      expect(() => evolveSchema('t', current, to(type), 3)).toThrow(
        `d is decimal(9,2) in the table and ${type} in the source`,
      )
  })

  it('names every difference that it refuses', () => {
    const wrong = columns.map((column) => ({ ...column, type: 'string' }))
    expect(() => evolveSchema('t', current, wrong, 3)).toThrow(/i is int.*; f is float.*; d is decimal/)
  })
})

describe('a rename', () => {
  const current: Schema = {
    type: 'struct',
    'schema-id': 0,
    fields: [
      { id: 1, name: 'a', required: false, type: 'int', doc: 'kept' },
      { id: 2, name: 'b', required: false, type: 'string' },
    ],
  }
  const columns = (...names: string[]): WantedColumn[] =>
    names.map((name) => ({ name, type: name === 'b' ? 'string' : 'int', required: false }))

  it('keeps the id, the doc and the place, and may widen at once', () => {
    const wanted = [{ name: 'z', type: 'long', required: false }, ...columns('b')]
    const { schema, changes, lastColumnId } = evolveSchema('t', current, wanted, 2, { a: 'z' })
    expect(schema.fields[0]).toEqual({ id: 1, name: 'z', required: false, type: 'long', doc: 'kept' })
    expect([lastColumnId, changes]).toEqual([2, ['rename a to z', 'change z from int to long']])
  })

  it('that was made before is none', () => {
    const { schema } = evolveSchema('t', current, columns('z', 'b'), 2, { a: 'z' })
    expect(evolveSchema('t', schema, columns('z', 'b'), 2, { a: 'z' }).changes).toEqual([])
  })

  it('not said is a dropped and an added column', () => {
    const { schema, changes } = evolveSchema('t', current, columns('z', 'b'), 2)
    expect(schema.fields.map(({ id, name }) => [id, name])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'z'],
    ])
    expect(changes).toEqual(['add column z int'])
  })

  it.each([
    ['the source has no such column', columns('a', 'b'), { a: 'z' }, 'has no column z'],
    ['the table has no such column', columns('z', 'b'), { x: 'z' }, 'has no column x'],
    ['the source has both', columns('a', 'z', 'b'), { a: 'z' }, 'has a still'],
    ['the table has both', columns('b'), { a: 'b' }, 'has a column b already'],
  ])('is refused where %s', (_why, wanted, renames, message) => {
    expect(() => evolveSchema('t', current, wanted, 2, renames as Record<string, string>)).toThrow(
      expect.objectContaining({
        code: 'usage',
        field: '--rename',
        message: expect.stringContaining(message) as unknown,
      }),
    )
  })

  it('of the partition’s source leaves the partition as it is', async () => {
    const { metadata } = await emptyTable(lakeInMemory(), byDay)
    const wanted = webLogsSchema.fields.map(({ name, type, required }) => ({
      name: name === 'timestamp' ? 'at' : name,
      type,
      required,
    }))
    const partitionBy = [parsePartitionExpression('day(at)')]
    const changed = tableChanges(
      't',
      metadata,
      { columns: wanted, partitionBy, renames: { timestamp: 'at' } },
      0,
    )
    expect(changed.changes).toEqual(['rename timestamp to at'])
    expect(changed.metadata['partition-specs']).toEqual(metadata['partition-specs'])
    expect(JSON.parse(changed.metadata.properties['schema.name-mapping.default']!)).toContainEqual({
      'field-id': 1,
      names: ['timestamp', 'at'],
    })
  })
})

it('a partition field keeps the name that another program gave it, the one of today', async () => {
  const { metadata } = await emptyTable(lakeInMemory(), byDay)
  const [spec] = metadata['partition-specs']
  const named = (name: string, id: number): NonNullable<typeof spec> => ({
    'spec-id': id,
    fields: [{ ...spec!.fields[0]!, name }],
  })
  const foreign = {
    ...metadata,
    'partition-specs': [named('first', 0), named('the_day', 1)],
    'default-spec-id': 1,
  }
  const columns = webLogsSchema.fields.map(({ name, type, required }) => ({ name, type, required }))
  const wanted = { columns, partitionBy: [parsePartitionExpression('day(timestamp)')] }
  expect(tableChanges('t', foreign, wanted, 0)).toMatchObject({ changes: [], updates: [] })
})

describe('columns that identify rows', () => {
  it('do so no longer when they become optional: Java loads no such table', () => {
    const current: Schema = {
      type: 'struct',
      'schema-id': 0,
      'identifier-field-ids': [1, 2],
      fields: [
        { id: 1, name: 'a', required: true, type: 'int' },
        { id: 2, name: 'b', required: true, type: 'int' },
      ],
    }
    const { schema, changes } = evolveSchema('t', current, [{ name: 'b', type: 'int', required: true }], 2)
    expect(schema['identifier-field-ids']).toEqual([2])
    expect(changes).toEqual(['make a optional', 'a identifies rows no longer'])
  })
})

describe('changes of a table with an overwrite', () => {
  it('evolve schema and spec in the same commit as all new files', async () => {
    const lake = lakeInMemory()
    const started = await emptyTable(lake)
    const filled = await commitSnapshot(
      lake.catalog,
      started,
      request(started, { addFiles: [dataFile(started, { count: 1 })] }),
      lake.effects,
    )
    if (filled.kind !== 'committed') throw new Error(filled.kind)
    const { table } = filled
    const wanted = [
      ...webLogsSchema.fields.map(({ name, type, required }) => ({ name, type, required })),
      { name: 'agent', type: 'string', required: false },
    ]
    const partitionBy = [parsePartitionExpression('day(timestamp)')]
    const changes = tableChanges('t', table.metadata, { columns: wanted, partitionBy }, lake.clock.ms)
    expect(changes.changes).toEqual(['add column agent string', 'partition by day of timestamp'])
    const file = dataFile({ ...table, metadata: changes.metadata }, { count: 2 }, [dayNumber('2024-05-01')])
    await commitSnapshot(
      lake.catalog,
      table,
      request(table, {
        operation: 'overwrite',
        addFiles: [file],
        removeFiles: { kind: 'rows', filter: alwaysTrue },
        tableUpdates: changes.updates,
        tableRequirements: changes.requirements,
      }),
      lake.effects,
    )
    const { metadata } = await lake.catalog.load(webLogs)
    expect(metadata.snapshots.at(-1)).toMatchObject({ 'schema-id': 1, summary: { 'total-records': '2' } })
    expect(metadata['default-spec-id']).toBe(1)
    expect(metadata.properties['schema.name-mapping.default']).toContain('"agent"')
    const { manifests, live } = await contents(lake.io, metadata)
    expect(manifests.map((manifest) => manifest.partitionSpecId)).toEqual([1, 0])
    expect(live).toEqual([file.filePath])
  })

  it('are none when nothing differs', async () => {
    const { metadata } = await emptyTable(lakeInMemory())
    const wanted = webLogsSchema.fields.map(({ name, type, required }) => ({ name, type, required }))
    expect(tableChanges('t', metadata, { columns: wanted, partitionBy: [] }, 0)).toMatchObject({
      updates: [],
      changes: [],
    })
  })

  it('leave a table without name mapping without one', async () => {
    const { metadata } = await emptyTable(lakeInMemory())
    const properties = without(metadata.properties, 'schema.name-mapping.default')
    const columns = [{ name: 'new', type: 'int', required: false }]
    const changed = tableChanges('t', { ...metadata, properties }, { columns, partitionBy: undefined }, 0)
    expect(changed.changes).toContain('add column new int')
    expect(changed.metadata.properties).toEqual({})
  })

  it('make version 1 version 2 on request, and refuse all else', async () => {
    const { metadata } = await emptyTable(lakeInMemory())
    const columns = webLogsSchema.fields.map(({ name, type, required }) => ({ name, type, required }))
    const of = (version: number): typeof metadata => ({ ...metadata, 'format-version': version })
    const wanted = { columns, partitionBy: undefined }
    expect(() => tableChanges('a.t', of(1), wanted, 0)).toThrow(
      expect.objectContaining({ code: 'data', fix: expect.stringContaining('--upgrade') as unknown }),
    )
    const changed = tableChanges('a.t', of(1), { ...wanted, upgrade: true }, 0)
    expect(changed.changes).toEqual(['upgrade format version 1 to 2'])
    expect(changed.updates).toEqual([{ action: 'upgrade-format-version', 'format-version': 2 }])
    for (const upgrade of [true, false])
      expect(() => tableChanges('a.t', of(3), { ...wanted, upgrade }, 0)).toThrow('format version 3')
  })

  it('reuse the id of a partition field that an older spec has', async () => {
    const { metadata } = await emptyTable(lakeInMemory())
    const columns = webLogsSchema.fields.map(({ name, type, required }) => ({ name, type, required }))
    const by = (...texts: string[]): ReturnType<typeof parsePartitionExpression>[] =>
      texts.map((text) => parsePartitionExpression(text))
    const first = tableChanges('t', metadata, { columns, partitionBy: by('day(timestamp)') }, 0)
    const partitionBy = by('bucket(4, user_id)', 'day(timestamp)')
    const second = tableChanges('t', first.metadata, { columns, partitionBy }, 0)
    expect(second.metadata['partition-specs'].at(-1)!.fields.map((field) => field['field-id'])).toEqual([
      1001, 1000,
    ])
    expect(second.metadata['last-partition-id']).toBe(1001)
  })
})

describe('a table that another program made', () => {
  const table: Schema = {
    type: 'struct',
    'schema-id': 0,
    fields: [
      { id: 1, name: 'price', required: false, type: 'decimal(9,2)' },
      { id: 2, name: 'user_id', required: false, type: 'long' },
    ],
  }
  const price = { name: 'price', type: 'decimal(9, 2)', required: false }

  it('may write its decimals with or without a blank', () => {
    const same = [price, { name: 'user_id', type: 'long', required: false }]
    expect(evolveSchema('t', table, same, 2).changes).toEqual([])
    const wider = [{ ...price, type: 'decimal(10, 2)' }]
    expect(evolveSchema('t', table, wider, 2).schema.fields[0]!.type).toBe('decimal(10, 2)')
  })

  it('may be wider than the source: the flags that fit are named', () => {
    const narrower = [
      { ...price, type: 'decimal(5, 2)' },
      { name: 'user_id', type: 'int', required: false },
    ]
    expect(() => evolveSchema('t', table, narrower, 2)).toThrow(
      expect.objectContaining({
        code: 'data',
        fix: expect.stringContaining("--cast 'price=numeric(9,2)', --cast 'user_id=bigint'") as unknown,
      }),
    )
  })
})
