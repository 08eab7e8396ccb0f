import { describe, expect, it } from '@jest/globals'
import { nameMappingText, updatedNameMapping } from '../../../jobs/iceberg/schema/name-mapping.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'

const schemaOf = (...fields: Schema['fields']): Schema => ({ type: 'struct', 'schema-id': 0, fields })
const field = (id: number, name: string, type: Schema['fields'][number]['type'] = 'int') => ({
  id,
  name,
  required: false,
  type,
})
const updated = (before: unknown, schema: Schema): unknown =>
  JSON.parse(updatedNameMapping(typeof before === 'string' ? before : JSON.stringify(before), schema))

describe('a name mapping', () => {
  it('that fits stays as it is, whatever others put there', () => {
    const foreign = [
      { 'field-id': 1, names: ['a', 'alias'], note: 'kept' },
      { names: ['only_in_files'] },
      { 'field-id': 9, names: ['dropped'] },
    ]
    expect(updated(foreign, schemaOf(field(1, 'a')))).toEqual(foreign)
    const schema = schemaOf(field(1, 'a'), field(2, 'b'))
    expect(updatedNameMapping(nameMappingText(schema), schema)).toBe(nameMappingText(schema))
  })

  it('gets new columns, and new names beside the old', () => {
    expect(updated([{ 'field-id': 1, names: ['a'] }], schemaOf(field(1, 'z'), field(2, 'b')))).toEqual([
      { 'field-id': 1, names: ['a', 'z'] },
      { 'field-id': 2, names: ['b'] },
    ])
  })

  it('gives a name that is taken again to the column that has it now', () => {
    const renamed = [{ 'field-id': 1, names: ['a', 'z'] }]
    expect(updated(renamed, schemaOf(field(1, 'z'), field(2, 'a')))).toEqual([
      { 'field-id': 1, names: ['z'] },
      { 'field-id': 2, names: ['a'] },
    ])
  })

  it('goes down into nested columns', () => {
    const struct = schemaOf(field(1, 's', { type: 'struct', fields: [field(2, 'x'), field(3, 'y')] }))
    const before = [{ 'field-id': 1, names: ['s'], fields: [{ 'field-id': 2, names: ['x', 'old'] }] }]
    expect(updated(before, struct)).toEqual([
      {
        'field-id': 1,
        names: ['s'],
        fields: [
          { 'field-id': 2, names: ['x', 'old'] },
          { 'field-id': 3, names: ['y'] },
        ],
      },
    ])
  })

  it.each(['', '{}', '[1]', '[{"field-id":1}]', '[{"names":[],"fields":[{}]}]'])(
    'of no sense is made anew: %s',
    (text) => {
      const schema = schemaOf(field(1, 'a'))
      expect(updatedNameMapping(text, schema)).toBe(nameMappingText(schema))
    },
  )
})
