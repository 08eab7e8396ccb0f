import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatTable, parseTableName, quoteTable } from '../../jobs/postgres/identifiers.ts'

describe('table names', () => {
  it.each([
    ['web_logs', 'public', 'web_logs'],
    ['Public.Web_Logs', 'public', 'web_logs'],
    ['"Web.Logs"', 'public', 'Web.Logs'],
    ['a."b ""c"""', 'a', 'b "c"'],
    ['"Ä b".select', 'Ä b', 'select'],
  ])('%s is %s and %s', (text, schema, name) => {
    expect(parseTableName(text)).toEqual({ schema, name })
  })

  it.each(['', '.', 'a.', '.a', 'a.b.c', 'a b', '"a', 'a"b"', '""', '"a"b', 'a."b".'])(
    '%j is none',
    (text) => {
      expect(() => parseTableName(text)).toThrow(`"${text}" is not a table name`)
    },
  )

  it('are read back as they are shown', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 })
    fc.assert(
      fc.property(name, name, (schema, table) => {
        const shown = formatTable({ schema, name: table })
        expect(parseTableName(shown)).toEqual({ schema, name: table })
      }),
    )
  })

  it('are quoted for SQL', () => {
    expect(quoteTable({ schema: 'a"b', name: 'c' })).toBe('"a""b"."c"')
  })
})
