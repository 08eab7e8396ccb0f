import { describe, expect, it } from '@jest/globals'
import {
  parseSource,
  printSource,
  sameSource,
  sourceEntries,
  type ReadSource,
} from '../../jobs/provenance/source.ts'

const own: ReadSource = { table: 'shop.orders', database: 'app', server: 'db:5432', systemId: '7' }

describe('a source', () => {
  it.each<[string, Partial<ReadSource>, boolean]>([
    ['the same', {}, true],
    ['through another address', { server: 'localhost:15432' }, true],
    ['another server at the same address', { systemId: '8' }, false],
    ['one that does not say its number, at the same address', { systemId: undefined }, true],
    ['one that does not say its number, at another', { systemId: undefined, server: 'localhost:1' }, false],
    ['of another database', { database: 'test' }, false],
    ['demo data of a server made anew', { isDemo: true, systemId: '8' }, false],
    ['another table', { table: 'shop.order' }, false],
    ['as the first version told it', { database: undefined, server: undefined, systemId: undefined }, true],
  ])('%s', (_, differs, expected) => {
    const other = { ...own, ...differs }
    expect([sameSource(own, other), sameSource(other, own)]).toEqual([expected, expected])
    expect(parseSource(sourceEntries(other))).toEqual(other)
  })

  it('is the same where both are demo data, whatever the server', () => {
    const demo = { ...own, isDemo: true }
    expect(sameSource(demo, { ...demo, systemId: '8', server: 'localhost:1' })).toBe(true)
    expect(sameSource(demo, { ...demo, systemId: '8', table: 'shop.order' })).toBe(false)
    expect(sameSource(demo, { ...demo, systemId: '8', database: 'test' })).toBe(false)
  })

  it('is shown with where it is', () => {
    expect(printSource(own)).toBe('shop.orders of database app at db:5432 (cluster 7)')
    expect(printSource({ table: 'a.b' })).toBe('a.b')
    expect(parseSource({ operation: 'append' })).toBeUndefined()
  })
})
