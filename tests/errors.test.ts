import { expect, it } from '@jest/globals'
import { listed } from '../jobs/errors.ts'

it('lists 20 items, and counts the others', () => {
  const items = Array.from({ length: 23 }, (_, index) => String(index))
  expect(listed(items.slice(0, 3))).toBe('0, 1, 2')
  expect(listed(items.slice(0, 20), '; ')).toBe(items.slice(0, 20).join('; '))
  expect(listed(items)).toBe(`${items.slice(0, 20).join(', ')} and 3 more`)
  expect(listed([])).toBe('')
})
