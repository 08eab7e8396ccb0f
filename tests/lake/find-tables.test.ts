import { beforeEach, describe, expect, it } from '@jest/globals'
import { tableText, type Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import { allTables } from '../../jobs/iceberg/catalog/all-tables.ts'
import { findTables } from '../../jobs/lake/find-tables.ts'
import { lakeInMemory, webLogsSchema } from '../iceberg/tables.ts'

let catalog: Catalog
beforeEach(async () => {
  catalog = lakeInMemory().catalog
  for (const text of [
    'default.web_logs',
    'default.users',
    'shop.users',
    'default.odd=name',
    'shop.eu.orders',
    'shop.a,b',
  ]) {
    const levels = text.split('.')
    const identifier = { namespace: levels.slice(0, -1), name: levels.at(-1)! }
    await catalog.createNamespace(identifier.namespace).catch(() => undefined)
    await catalog.create(await catalog.stageCreate(identifier, { schema: webLogsSchema }), [])
  }
})
const find = async (...names: string[]): Promise<string[]> =>
  (await findTables(catalog, names, 'default')).map(tableText)

describe('the tables of a catalog', () => {
  it('are all there, by namespace and name', async () => {
    expect((await allTables(catalog)).map(tableText)).toEqual([
      'default.odd=name',
      'default.users',
      'default.web_logs',
      'shop.a,b',
      'shop.users',
      'shop.eu.orders',
    ])
  })

  it.each([
    ['default.web_logs', 'default.web_logs'],
    ['web_logs', 'default.web_logs'],
    ['orders', 'shop.eu.orders'],
    ['public.web_logs', 'default.web_logs'],
    ['public.logs=default.web_logs', 'default.web_logs'],
    ['"A b"."c"=shop.users', 'shop.users'],
    ['default.odd=name', 'default.odd=name'],
    // A flag's list is divided at commas outside of quotes.
    ['shop."a,b"', 'shop.a,b'],
    ['"shop.a,b"', 'shop.a,b'],
  ])('are found by %s', async (name, expected) => {
    expect(await find(name)).toEqual([expected])
  })

  it('are each found once', async () => {
    expect(await find('web_logs', 'shop.users', 'public.web_logs')).toEqual([
      'default.web_logs',
      'shop.users',
    ])
  })

  it.each([
    ['default.weblogs', 'did you mean default.web_logs?'],
    ['shop.a', /"shop\.a,b"/],
    ['Web_Logs', 'did you mean default.web_logs?'],
    ['nothing_of_the_kind', /^give one of default\.odd=name, default\.users, /],
  ])('are named where %s is none', async (name, fix) => {
    await expect(find(name)).rejects.toMatchObject({
      code: 'data',
      message: `no such table in the catalog: ${name}`,
      fix: typeof fix === 'string' ? fix : (expect.stringMatching(fix) as unknown),
    })
  })

  it('are told apart by namespace, and missing in an empty catalog', async () => {
    await expect(find('users')).rejects.toMatchObject({
      code: 'usage',
      fix: 'give one of default.users, shop.users',
    })
    catalog = lakeInMemory().catalog
    await expect(find('web_logs')).rejects.toMatchObject({
      fix: 'the catalog has none; export one, or correct ICEBERG_CATALOG_NAME',
    })
  })
})
