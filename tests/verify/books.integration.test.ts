import { describe, expect, it } from '@jest/globals'
import { append } from '../../jobs/iceberg/snapshot/operations.ts'
import type { TableMetadata } from '../../jobs/iceberg/metadata/metadata.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { metadataFaults } from '../../jobs/verify/metadata-check.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { currentSnapshot, dataFilesOf, load, runExport, type Flags } from '../export/lake.ts'
import { commit, falsify, results, threeDays } from './verify-lake.ts'

const { server, lake } = eachWithLake(threeDays)

const byDay: Flags = { partitionBy: ['day(at)'] }
const verified = (): ReturnType<typeof results> => results(server, lake, { against: 'written' })
const same = (file: DataFile): DataFile => file

describe('metadata that do not fit one another', () => {
  const cases: readonly (readonly [string, Parameters<typeof falsify>[3], RegExp])[] = [
    ['total of rows', { totals: { 'total-records': '311' } }, /its total-records is 311, it is 310/],
    ['total of files', { totals: { 'total-data-files': '5' } }, /its total-data-files is 5, it is 4/],
    ['total of bytes', { totals: { 'total-files-size': '7' } }, /its total-files-size is 7, it is \d+/],
    [
      'total of deletes',
      { totals: { 'total-position-deletes': '1' } },
      /total-position-deletes is 1, it is 0/,
    ],
    [
      'number of files of a manifest',
      { listed: (one) => ({ ...one, addedFilesCount: 3 }) },
      /manifest .*-m0\.avro: it has 4 added files, the manifest list says 3/,
    ],
    [
      'number of rows of a manifest',
      { listed: (one) => ({ ...one, addedRowsCount: 3 }) },
      /it has 310 rows in added files, the manifest list says 3/,
    ],
    [
      'length of a manifest',
      { listed: (one) => ({ ...one, manifestLength: 3 }) },
      /it has \d+ bytes, the manifest list says 3/,
    ],
    [
      'sequence number of a manifest',
      { listed: (one) => ({ ...one, sequenceNumber: 9, minSequenceNumber: 0 }) },
      /manifest list .*: manifest .* has sequence number 9, its snapshot's is 1/,
    ],
    [
      'least sequence number of a manifest',
      { listed: (one) => ({ ...one, minSequenceNumber: 2 }) },
      /file .* has sequence number 1, the manifest list says at least 2/,
    ],
    [
      'sequence number of a file',
      { entry: (one) => ({ ...one, sequenceNumber: 7 }) },
      /file .* has sequence number 7, its manifest's is 1/,
    ],
    [
      'bound of the partitions of a manifest',
      {
        listed: (one) => ({
          ...one,
          partitions: one.partitions!.map((summary) => ({ ...summary, upperBound: summary.lowerBound! })),
        }),
      },
      /files in other partitions by at_day than the manifest list says/,
    ],
    [
      'absence of NULL among the partitions of a manifest',
      {
        listed: (one) => ({
          ...one,
          partitions: one.partitions!.map((summary) => ({ ...summary, containsNull: false })),
        }),
      },
      /files in other partitions by at_day/,
    ],
  ]

  it.each(cases)('a false %s is wrong, whatever the rows are, which match', async (_, books, reason) => {
    await runExport(server, lake, byDay)
    await falsify(lake, await load(lake), same, books)
    const { code, found, table } = await verified()
    expect(code).toBe('data')
    expect(found).toMatchObject({ all: 'mismatch', '2024-09-01': 'match', null: 'match' })
    expect(table.verified?.intervals[0]?.reason).toMatch(reason)
  })

  it('what is written anew and fits is no fault', async () => {
    await runExport(server, lake, byDay)
    await falsify(lake, await load(lake), same)
    expect((await verified()).code).toBe('ok')
  })

  it('totals that a writer left out are no fault, nor is a history of commits', async () => {
    await runExport(server, lake, byDay)
    await runExport(server, lake, { ...byDay, scope: { mode: 'day', from: '2024-09-02', to: '2024-09-02' } })
    expect((await verified()).code).toBe('ok')
    const table = await load(lake)
    const [file] = await dataFilesOf(table)
    await commit(lake, table, append({ metadata: table.metadata }, [file!]))
    expect((await verified()).found).not.toHaveProperty('all')
    const later = await load(lake)
    const summaries = later.metadata.snapshots.map(({ summary, ...snapshot }) => ({
      ...snapshot,
      summary: Object.fromEntries(Object.entries(summary).filter(([name]) => !name.startsWith('total-'))),
    }))
    const metadata = { ...later.metadata, snapshots: summaries } as TableMetadata
    expect(
      await metadataFaults({ name: 't', metadata, io: later.io }, currentSnapshot({ ...later, metadata })),
    ).toEqual([])
  })
})

describe('the numbers of columns', () => {
  it('are told by interval, and where the source has others both are named', async () => {
    await runExport(server, lake, byDay)
    await server.query(`UPDATE t SET price = price + 0.01, url = 'x' WHERE id = 3`)
    const { table } = await results(server, lake)
    const [changed, match] = table.verified!.intervals
    expect(changed).toMatchObject({ interval: '2024-09-01', result: 'changed' })
    const columns = Object.fromEntries(changed!.columns!.map(({ column, ...rest }) => [column, rest]))
    expect(columns).toMatchObject({
      id: { nulls: 0, min: '3', max: '300', sum: '15150' },
      at: { min: '2024-09-01T00:00:03.000000Z', max: '2024-09-01T00:05:00.000000Z' },
      price: { min: '0.03', max: '3.00', sum: '151.50', source: { min: '0.04', sum: '151.51' } },
      ratio: { min: '1', max: '100' },
      url: { nulls: 14, source: { nulls: 14, max: 'x' } },
    })
    expect(columns['id']).not.toHaveProperty('source')
    expect(changed!.reason).toBe(
      'the source has changed since (column url: maximum /a page that is longer than twelve/6, in the source x; ' +
        'column price: minimum 0.03, in the source 0.04; sum 151.50, in the source 151.51)',
    )
    // A text may be of a person.
    expect(match!.columns!.find(({ column }) => column === 'url')).toEqual({ column: 'url', nulls: 14 })
  })

  it('NULLs are held against those that were written', async () => {
    await runExport(server, lake)
    await server.query(
      `CREATE TABLE other AS SELECT * FROM t; UPDATE other SET url = NULL WHERE id = 8; ANALYZE other`,
    )
    await runExport(server, lake, { tables: ['public.other=default.other'] })
    const [other] = await dataFilesOf(await load(lake, 'other'))
    await falsify(lake, await load(lake), () => other!)
    const { code, table } = await verified()
    expect(code).toBe('data')
    const [interval] = table.verified!.intervals
    expect(interval!.reason).toBe(
      'these are not the rows that were written (column url: NULLs 53, written 52)',
    )
  })

  it('are exact for numbers beyond 64 bits, and there are none of no rows', async () => {
    await server.query(`DROP TABLE t; CREATE TABLE t (wide numeric(38,2), long bigint, small numeric(3,1), f float4, none int);
      INSERT INTO t SELECT 999999999999999999999999999999999999.99 * sign(2.5 - i), 9223372036854775807, -9.9, 'NaN', NULL
      FROM generate_series(1, 3) i; ANALYZE t`)
    await runExport(server, lake)
    const { table } = await verified()
    const most = '999999999999999999999999999999999999.99'
    expect(table.verified!.intervals[0]!.columns).toEqual([
      { column: 'wide', nulls: 0, min: `-${most}`, max: most, sum: most },
      {
        column: 'long',
        nulls: 0,
        min: '9223372036854775807',
        max: '9223372036854775807',
        sum: '27670116110564327421',
      },
      { column: 'small', nulls: 0, min: '-9.9', max: '-9.9', sum: '-29.7' },
      { column: 'f', nulls: 0 },
      { column: 'none', nulls: 3, sum: '0' },
    ])
  })
})
