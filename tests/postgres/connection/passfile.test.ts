import { expect, it } from '@jest/globals'
import { findPassword } from '../../../jobs/postgres/connection/passfile.ts'

const key = { hosts: ['db'], port: 5432, database: 'lake', user: 'me' }

it.each([
  ['db:5432:lake:me:secret', 'secret'],
  ['*:*:*:*:any', 'any'],
  ['db:5433:lake:me:no\ndb:*:lake:me:second', 'second'],
  ['# db:5432:lake:me:comment\r\ndb:5432:lake:me:windows\r\n', 'windows'],
  ['db:5432:lake:me:a\\:b\\\\c\\:', 'a:b\\c:'],
  ['d\\b:5432:lake:me:escaped', 'escaped'],
  ['db:5432:lake:you:no', undefined],
  ['db:5432:lake:me', undefined],
  ['db:5432:lake:me:', undefined],
  ['', undefined],
])('%j', (text, expected) => {
  expect(findPassword(text, key)).toBe(expected)
})
