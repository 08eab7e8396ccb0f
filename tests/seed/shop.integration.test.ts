import { describe, expect, it } from '@jest/globals'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, type Ran } from '../support/cli.ts'

const { place } = eachWithDatabase()

const seed = (...words: string[]): Promise<Ran> =>
  run(['seed', '--demo', '--rows', '100', '--days', '3', '--date', '2024-09-16', ...words], {
    cwd: place.cwd,
    env: { ...place.env, DEMO_DATA: 'true' },
  })
const one = async (sql: string): Promise<unknown> => Object.values((await place.query(sql))[0] ?? {})[0]
const digest = (table: string): Promise<unknown> =>
  one(`SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM shop.${table} t`)

describe('seed --demo', () => {
  it('gives each day 20 to 40 orders, whose items add up; the same rows whenever a day is filled', async () => {
    expect((await seed()).exit).toBe(0)
    const days = await place.query(
      `SELECT (created_at AT TIME ZONE 'UTC')::date::text AS day, count(*)::int AS n FROM shop.orders GROUP BY 1 ORDER BY 1`,
    )
    expect(days.map(({ day }) => day)).toEqual(['2024-09-14', '2024-09-15', '2024-09-16'])
    for (const { n } of days) expect(n).toBeGreaterThanOrEqual(20)
    for (const { n } of days) expect(n).toBeLessThanOrEqual(40)
    expect(
      await one(
        `SELECT count(*)::int FROM shop.orders WHERE total <>
           (SELECT sum(quantity * price) FROM shop.order_items WHERE order_id = orders.id)`,
      ),
    ).toBe(0)
    expect(await one('SELECT count(*)::int FROM shop.customers')).toBe(500)
    const before = [await digest('orders'), await digest('order_items'), await digest('customers')]
    await place.query(`TRUNCATE shop.order_items, shop.orders`)
    await seed('--append', '--days', '1', '--date', '2024-09-16')
    await seed('--append', '--days', '2', '--date', '2024-09-15')
    await seed('--append')
    expect([await digest('orders'), await digest('order_items'), await digest('customers')]).toEqual(before)
  })

  it('leaves a shop of somebody’s own as it is', async () => {
    await place.query('CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)')
    expect((await seed()).exit).toBe(0)
    expect(await one('SELECT count(*)::int FROM shop.orders')).toBe(0)
    expect(await one(`SELECT to_regclass('shop.customers')`)).toBeNull()
  })
})
