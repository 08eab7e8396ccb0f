import { describe, expect, it } from '@jest/globals'
import { eachWithLake } from '../export/each-with-lake.ts'
import { runExport, type Flags } from '../export/lake.ts'
import { results, runVerify, threeDays, type VerifyFlags } from './verify-lake.ts'

const { server, lake } = eachWithLake(threeDays)

const byDay: Flags = { partitionBy: ['day(at)'] }
const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
const [second, third] = ['2024-09-02', '2024-09-03'] as const

describe('which rows differ', () => {
  const rowsOf = async (flags: VerifyFlags = {}): Promise<unknown> =>
    (await results(server, lake, { deep: true, ...flags })).table.verified?.intervals.flatMap(
      ({ rowsThatDiffer = [] }) => rowsThatDiffer,
    )

  it('by the primary key, by columns that are named, or as a whole', async () => {
    await server.query('ALTER TABLE t ADD PRIMARY KEY (id)')
    await run(byDay)
    expect(await rowsOf()).toEqual([])
    await server.query(`UPDATE t SET price = price + 0.01, url = NULL WHERE id = 9; DELETE FROM t WHERE id = 12;
                        INSERT INTO t SELECT 9999, at, url, price, '-0' FROM t WHERE id = 15`)
    const price = {
      price: { lake: '0.09', source: '0.10' },
      url: { lake: '/a page that is longer than twelve/2', source: null },
    }
    const found = [
      { kind: 'changed', row: { id: '9' }, columns: price },
      { kind: 'extra', row: { id: '12' } },
      { kind: 'missing', row: { id: '9999' } },
    ]
    const sorted = (rows: unknown): unknown[] =>
      (rows as { kind: string }[]).sort((a, b) => (a.kind < b.kind ? -1 : 1))
    expect(sorted(await rowsOf())).toEqual(found)
    const byTime = sorted(await rowsOf({ key: ['at'] })) as { kind: string; row: Record<string, string> }[]
    expect(byTime[0]).toMatchObject({ kind: 'changed', row: { at: '2024-09-01T00:00:09.000000Z' } })
    await server.query('ALTER TABLE t DROP CONSTRAINT t_pkey')
    expect(sorted(await rowsOf())).toMatchObject([
      { kind: 'extra' },
      { kind: 'extra' },
      { kind: 'missing' },
      { kind: 'missing' },
    ])
  })

  it('by keys of any size and none, in days and without', async () => {
    await server.query(`CREATE TABLE u AS SELECT CASE WHEN i > 0 THEN (i - 500) * 1000003::bigint END AS id, i AS v FROM generate_series(0, 9999) i;
                        ANALYZE u`)
    const deep = async (): Promise<unknown> =>
      (
        await results(server, lake, { deep: true, key: ['id'], tables: ['public.u'] })
      ).table.verified?.intervals.flatMap(({ rowsThatDiffer = [] }) => rowsThatDiffer)
    await run({ tables: ['public.u'] })
    await server.query(`UPDATE u SET v = -1 WHERE v IN (0, 1, 2, 5000, 9999);
                        INSERT INTO u VALUES (-9007199254740990, 7), (9007199254740990, 8)`)
    const rowsFound = (found: unknown): unknown =>
      (found as { kind: string; row: { id: string | null } }[])
        .map(({ kind, row }) => `${kind} ${String(row.id)}`)
        .sort()
    const changed = ['-498001494', '-499001497', '4500013500', '9499028497', 'null'].map(
      (id) => `changed ${id}`,
    )
    expect(rowsFound(await deep())).toEqual([
      ...changed,
      'missing -9007199254740990',
      'missing 9007199254740990',
    ])
    // No number holds the least one: the whole table is read again.
    await server.query('INSERT INTO u VALUES (-9223372036854775808, 9)')
    expect(rowsFound(await deep())).toContain('missing -9223372036854775808')
  })

  it('by all columns, where too many rows share a key to be kept', async () => {
    await server.query(
      'CREATE TABLE u AS SELECT i AS id, 200 AS status FROM generate_series(1, 300) i; ANALYZE u',
    )
    const flags = { key: ['status'], tables: ['public.u'] }
    await run({ tables: ['public.u'] })
    await server.query('UPDATE u SET id = -1 WHERE id = 7')
    expect(await rowsOf(flags)).toEqual([
      { kind: 'changed', row: { status: '200' }, columns: { id: { lake: '7', source: '-1' } } },
    ])
    await server.query('INSERT INTO u SELECT i, 200 FROM generate_series(1001, 61000) i')
    const found = (await rowsOf(flags)) as { kind: string; row: Record<string, string> }[]
    expect(found).toHaveLength(20)
    for (const { row } of found) expect(Object.keys(row)).toEqual(['id', 'status'])
  })

  it('at most twenty of them, and none of days that are alike', async () => {
    await run(byDay)
    await server.query(`DELETE FROM t WHERE at < '${second}'`)
    expect(await rowsOf()).toHaveLength(20)
    await server.query("UPDATE t SET url = 'x' WHERE id = 305")
    expect(await rowsOf()).toContainEqual({
      kind: 'missing',
      row: expect.objectContaining({ id: '305' }) as unknown,
    })
    expect(await rowsOf({ days: { from: second, to: third } })).toEqual([])
    await expect(runVerify(server, lake, { deep: true, key: ['no'] })).rejects.toMatchObject({
      field: '--key',
    })
  })
})
