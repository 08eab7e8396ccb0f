import { describe, expect, it } from '@jest/globals'
import { bind, columnById } from '../../../jobs/iceberg/expression/bind.ts'
import {
  alwaysFalse,
  alwaysTrue,
  and,
  columnsOf,
  equalTo,
  isIn,
  lessThan,
  not,
  notNull,
  or,
  startsWith,
  type Predicate,
} from '../../../jobs/iceberg/expression/predicate.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'

const schema: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'id', required: true, type: 'long' },
    { id: 2, name: 'url', required: false, type: 'string' },
    {
      id: 3,
      name: 'geo',
      required: false,
      type: { type: 'struct', fields: [{ id: 4, name: 'lat', required: false, type: 'double' }] },
    },
    { id: 5, name: 'geo.lat', required: false, type: 'int' },
    { id: 6, name: 'shape', required: false, type: 'geometry' },
    {
      id: 7,
      name: 'a.b',
      required: false,
      type: { type: 'struct', fields: [{ id: 8, name: 'c.d', required: false, type: 'date' }] },
    },
  ],
}

describe('a predicate bound to a schema', () => {
  it('finds columns by name, the whole name first, and holds their ids', () => {
    const ids = (name: string): number[] => columnsOf(bind(schema, notNull(name))).map(({ id }) => id)
    expect([ids('id'), ids('geo.lat'), ids('a.b.c.d')]).toEqual([[1], [4], [8]])
    expect(columnById(schema, 5)).toEqual({ id: 5, name: 'geo.lat', type: { kind: 'int' } })
  })

  it('has values in the form of their column’s type', () => {
    expect(bind(schema, lessThan('id', 5))).toEqual({
      kind: 'less',
      column: { id: 1, name: 'id', type: { kind: 'long' } },
      value: 5n,
    })
    expect(bind(schema, not(isIn('a.b.c.d', [1n, 2])))).toMatchObject({ part: { values: [1, 2] } })
  })

  it.each<readonly [Predicate<string>, string]>([
    [equalTo('nosuch', 1), 'the table has no column nosuch'],
    [notNull('geo'), 'a condition on column geo is not possible'],
    [notNull('shape'), 'a condition on column shape is not possible'],
    [equalTo('url', 5), 'column url is of type string and cannot be compared with 5'],
    [equalTo('id', 'five'), 'column id is of type long and cannot be compared with five'],
    [lessThan('id', 2.5), 'column id is of type long and cannot be compared with 2.5'],
    [lessThan('a.b.c.d', 2.5), 'cannot be compared with 2.5'],
    [and(startsWith('id', 'a'), alwaysTrue), 'column id is of type long'],
  ])('is refused: %j', (predicate, message) => {
    expect(() => bind(schema, predicate)).toThrow(message)
  })
})

it('constants decide, or fall away', () => {
  const one = equalTo('id', 1)
  expect([and(one, alwaysTrue), or(one, alwaysFalse), and(), or()]).toEqual([
    one,
    one,
    alwaysTrue,
    alwaysFalse,
  ])
  expect([and(one, alwaysFalse), or(one, alwaysTrue), not(alwaysTrue), not(not(one))]).toEqual([
    alwaysFalse,
    alwaysTrue,
    alwaysFalse,
    one,
  ])
})
