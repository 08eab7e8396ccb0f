import { describe, expect, it } from '@jest/globals'
import { eachWithLake } from '../export/each-with-lake.ts'
import { runExport } from '../export/lake.ts'
import { results, runVerify, threeDays } from './verify-lake.ts'

const { server, lake } = eachWithLake(threeDays)
const alone = 'or compare with what was written alone: --against written'

describe('a source whose column has another type by now', () => {
  it.each([
    ['ALTER TABLE t ALTER id TYPE text', 'id is int in the lake and string in the source'],
    [
      "ALTER TABLE t ALTER id TYPE date USING '2024-01-01'::date + id",
      'id is int in the lake and date in the source',
    ],
    [
      'ALTER TABLE t ALTER url TYPE bytea USING url::bytea',
      'url is string in the lake and binary in the source',
    ],
    ['ALTER TABLE t ALTER at TYPE timestamp', 'at is timestamptz in the lake and timestamp in the source'],
    ['ALTER TABLE t ALTER at TYPE date', 'at is timestamptz in the lake and date in the source'],
    [
      'ALTER TABLE t ALTER price TYPE numeric(9,3), ALTER id TYPE int[] USING ARRAY[id]',
      'id is int in the lake and list<int> in the source; price is decimal(9,2) in the lake and decimal(9,3) in the source',
    ],
  ])('is not compared: %s', async (change, what) => {
    await runExport(server, lake, { partitionBy: ['day(at)'] })
    await server.query(`${change}; ANALYZE t`)
    for (const deep of [false, true])
      await expect(runVerify(server, lake, { deep })).rejects.toMatchObject({
        code: 'data',
        field: 'public.t',
        message: `public.t cannot be compared: ${what}`,
        fix: `export the table again, which names the flags that read or make the column otherwise, ${alone}`,
      })
    expect((await results(server, lake, { against: 'written', strict: true })).code).toBe('ok')
  })

  it('that only became wider is, and its values are shown as it has them', async () => {
    await server.query('ALTER TABLE t ALTER ratio TYPE real; ANALYZE t')
    await runExport(server, lake)
    await server.query(
      `ALTER TABLE t ALTER ratio TYPE float8, ALTER id TYPE bigint, ALTER price TYPE numeric(30,2); ANALYZE t`,
    )
    expect(await results(server, lake, { strict: true })).toMatchObject({
      code: 'ok',
      found: { all: 'match' },
    })
    await server.query('UPDATE t SET ratio = 1000.5 WHERE id = 7')
    const { found, table } = await results(server, lake)
    expect(found).toEqual({ all: 'changed' })
    expect(table.verified?.intervals[0]?.reason).toContain('column ratio: maximum 100, in the source 1000.5')
  })

  it('that cannot be exported any more is told with what exports it', async () => {
    await runExport(server, lake)
    await server.query('ALTER TABLE t ALTER price TYPE numeric; ANALYZE t')
    await expect(runVerify(server, lake)).rejects.toMatchObject({
      code: 'data',
      field: 'public.t.price',
      fix: expect.stringMatching(
        /^export the table again \(use --decimal .*\), or compare with .* --against written$/,
      ) as unknown,
    })
  })
})

describe('a source that is gone', () => {
  it('leaves what was written to compare with, whether rows are asked for or not', async () => {
    await runExport(server, lake)
    await server.query('DROP TABLE t')
    for (const deep of [false, true])
      await expect(runVerify(server, lake, { deep })).rejects.toMatchObject({
        field: 'public.t',
        message: 'there is no table public.t',
        fix: `check the schema and the table name, ${alone}`,
      })
    expect(await results(server, lake, { against: 'written' })).toMatchObject({
      code: 'ok',
      found: { all: 'match' },
    })
  })

  it('of a column is told with a flag that a shell takes', async () => {
    await server.query('ALTER TABLE t RENAME url TO "full url"; ANALYZE t')
    await runExport(server, lake)
    await server.query('ALTER TABLE t RENAME "full url" TO url; ANALYZE t')
    await expect(runVerify(server, lake)).rejects.toMatchObject({
      message: 'public.t has no column full url any more, which the last export wrote',
      fix: expect.stringContaining(`--rename 'full url=NEW'`) as unknown,
    })
  })
})
