import { describe, expect, it } from '@jest/globals'
import { parse as parseYaml } from 'yaml'
import { tableEntry } from '../../jobs/discover/entry.ts'
import { fileText } from '../../jobs/discover/file-text.ts'
import type { TableFacts } from '../../jobs/discover/facts.ts'
import type { CatalogColumn } from '../../jobs/postgres/source/catalog.ts'
import { parse } from '../config/parse.ts'

const column = (name: string, base: string, more: Partial<CatalogColumn> = {}): CatalogColumn => ({
  ...{ name, base, attnum: 1, notNull: false, virtual: false, declared: base, element: undefined },
  ...{ typmod: -1, isText: false, readable: true, ...more },
})
const facts = (more: Partial<TableFacts>): TableFacts => ({
  table: { schema: 'public', name: 't' },
  kind: 'table',
  rows: 10,
  bytes: 8192,
  primaryKey: [],
  rowSecurity: false,
  columns: [column('id', 'int4')],
  days: [],
  decimals: new Map(),
  ...more,
})

describe('what a starter file says of a table', () => {
  it('leaves out what looks like a secret, and nothing else', () => {
    const names = [
      'Password',
      'api_key',
      'iban',
      'session_token',
      'client_secret',
      'passenger',
      'keyboard',
      'id',
    ]
    const { options } = tableEntry(facts({ columns: names.map((name) => column(name, 'text')) }))
    expect(options).toEqual({ 'exclude-columns': names.slice(0, 5) })
    expect(tableEntry(facts({ columns: [column('token', 'text')] })).options).toEqual({ enabled: false })
  })

  it('takes no table that has no columns, or none that the role may read', () => {
    const notes = (columns: readonly CatalogColumn[]): unknown => {
      const { options, notes: said } = tableEntry(facts({ columns }))
      return [options, said[1]]
    }
    expect(notes([])).toEqual([{ enabled: false }, 'it has no columns'])
    const unreadable = column('id', 'int4', { readable: false })
    expect(notes([unreadable])).toEqual([{ enabled: false }, 'the role may read no column of it'])
  })

  it('gives decimals the places that were seen, or text where they have no room', () => {
    const n = column('n', 'numeric')
    const seen = (whole: number, scale: number, isFinite = true): unknown =>
      tableEntry(facts({ columns: [n], decimals: new Map([['n', { whole, scale, isFinite }]]) })).options
    expect(seen(3, 2)).toEqual({ decimal: { n: '38,9' } })
    expect(seen(3, 12)).toEqual({ decimal: { n: '38,12' } })
    expect(seen(30, 9)).toEqual({ cast: { n: 'text' } })
    expect(seen(1, 1, false)).toEqual({ cast: { n: 'text' } })
    const { cast } = tableEntry(facts({ columns: [column('__proto__', 'money')] })).options
    expect(Object.entries(cast as object)).toEqual([['__proto__', 'text']])
  })

  it('prefers a day column that is indexed, without NULLs and does not move', () => {
    const day = (name: string, indexed: boolean, notNull: boolean): TableFacts['days'][number] => ({
      ...{ name, indexed, notNull, nulls: undefined },
    })
    const note = (...days: TableFacts['days']): string => tableEntry(facts({ days })).notes.join()
    expect(note(day('updated_at', true, true), day('created_at', false, true))).toContain(
      'day-column: created_at',
    )
    expect(note(day('a', false, true), day('b', true, true))).toContain('day-column: b, ')
    expect(note(day('b', false, false))).toContain('(may be NULL, no index: each day reads the whole table)')
  })

  it('no name of the database leaves its key or comment', () => {
    const name = 'x: {} # "${HOME}" *: &a'
    const text = fileText({ source: '', prefix: 'POSTGRES', database: undefined, address: 'a\nb: c' }, [
      facts({
        table: { schema: 'public', name },
        primaryKey: ['k\nv: 1'],
        columns: [column('tok,en secret', 'text'), column('${HOME}token', 'text'), column('${HOME}', 'int4')],
      }),
    ])
    expect(Object.keys((parseYaml(text) as { tables: object }).tables)).toHaveLength(2)
    const { tables } = parse(text)
    expect(tables[1]?.key).toMatchObject({ isPattern: false, table: { schema: 'public', name } })
    expect(tables[1]?.options.get('exclude-columns')?.words).toEqual(['"tok,en secret"', '${HOME}token'])
  })
})
