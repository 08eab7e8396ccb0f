import { describe, expect, it } from '@jest/globals'
import { difference } from '../../../jobs/inspect/facts/schema-history.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'
import type { NestedField } from '../../../jobs/iceberg/schema/types.ts'

const schema = (fields: readonly NestedField[], identifiers: readonly number[] = []): Schema => ({
  type: 'struct',
  'schema-id': 0,
  fields,
  'identifier-field-ids': identifiers,
})
const id: NestedField = { id: 1, name: 'id', required: true, type: 'int' }
const city: NestedField = { id: 3, name: 'city', required: false, type: 'string' }
const address: NestedField = {
  id: 2,
  name: 'address',
  required: false,
  type: { type: 'struct', fields: [city] },
}
const tags = (element: string): NestedField => ({
  id: 4,
  name: 'tags',
  required: false,
  type: { type: 'list', 'element-id': 5, 'element-required': false, element },
})

describe('the difference of two schemas', () => {
  it.each([
    ['nothing', [id, address], [id, address], []],
    ['an added column', [id], [id, address], ['+ 2 address struct', '+ 3 address.city string']],
    ['a dropped column', [id, city], [id], ['- 3 city string']],
    ['a renamed one', [id, city], [id, { ...city, name: 'town' }], ['3 city: renamed town']],
    ['a wider one', [id], [{ ...id, type: 'long' }], ['1 id: int became long']],
    ['an optional one', [id], [{ ...id, required: false }], ['1 id: optional now']],
    [
      'a dropped and a new one of its name',
      [city],
      [{ ...city, id: 9 }],
      ['+ 9 city string', '- 3 city string'],
    ],
    ['an element', [tags('int')], [tags('long')], ['5 tags.element: int became long']],
    ['another order', [id, city], [city, id], ['columns in another order']],
  ] as const)('is %s, by field id', (_, before, after, changes) => {
    expect(difference(schema(before), schema(after))).toEqual(changes)
  })

  it('is what identifies rows, too', () => {
    expect(difference(schema([id], [1]), schema([id]))).toEqual([
      'rows identified by columns none, before by 1',
    ])
  })
})
