import { expect, test } from '@jest/globals'
import { wrongRows, wrongRowsText } from '../../../jobs/report/model/wrong-rows.ts'
import { eventsIn } from '../../../jobs/report/gather/events.ts'
import { parseRun, type Run } from '../../../jobs/summary.ts'

type Results = Readonly<Record<string, string>>
interface Given {
  /** The day of September that it began on. */
  readonly on: number
  readonly days?: readonly [string, string]
  readonly iceberg?: Results
  readonly parquet?: Results
  readonly columns?: number
  /** Wrong intervals that the summary has no room for. */
  readonly more?: number
  readonly error?: string
}

/** A verify, with what it found of each interval. */
function verify({ on, days, iceberg, parquet, columns = 3, more = 0, error }: Given): Run {
  const tableOf = (results: Results, place: object): object => {
    const intervals = Object.entries(results).map(([interval, result]) => ({ interval, result, rows: 1 }))
    const count = (of: string): number => intervals.filter(({ result }) => result === of).length
    const [wrong] = intervals.filter(({ result }) => result === 'mismatch' || result === 'incomplete')
    return {
      ...{ table: 'default.t', status: wrong ? 'failed' : 'ok', ...place },
      ...(wrong && { error: `${wrong.interval}: ${wrong.result}`, fix: `lakejobs export ${wrong.interval}` }),
      verified: {
        ...{ against: 'written', columns, match: count('match'), changed: count('changed') },
        ...{ mismatch: count('mismatch') + more, unverified: count('unverified') },
        ...{ incomplete: count('incomplete'), intervals },
      },
    }
  }
  const parsed = parseRun({
    ...{ job: 'verify', runId: `r${on}`, status: 'ok', exit: 0, seconds: 1 },
    startedAt: `2024-09-${String(on).padStart(2, '0')}T03:00:00.000Z`,
    ...(days && { from: days[0], to: days[1] }),
    tables: [
      ...(iceberg ? [tableOf(iceberg, { snapshotId: '1' })] : []),
      ...(parquet ? [tableOf(parquet, { parquetLocation: 'file:///p/t' })] : []),
      ...(error === undefined ? [] : [{ table: 'default.t', status: 'failed', error }]),
    ],
  })
  if (parsed === undefined) throw new Error('not what a run leaves')
  return parsed
}
const wrongIn = (...runs: readonly Given[]): (readonly string[])[] =>
  wrongRows(runs.map(verify)).map(({ intervals }) => intervals)

const found = { on: 10, iceberg: { '2024-09-08': 'mismatch', '2024-09-07': 'match' } }

test('says which days, since when and what mends the first, until a verify of them is right', () => {
  expect(wrongRows([verify(found)])).toEqual([
    {
      ...{ table: 'default.t', intervals: ['2024-09-08'], since: '2024-09-10T03:00:00.000Z' },
      ...{ what: '2024-09-08: mismatch', fix: 'lakejobs export 2024-09-08', log: undefined },
    },
  ])
  expect(wrongIn(found, { on: 11, iceberg: { '2024-09-08': 'match' } })).toEqual([])
  expect(wrongIn(found, { on: 11, iceberg: { '2024-09-08': 'changed' } })).toEqual([])
  // Found again: since the first time.
  const again = wrongRows([verify(found), verify({ ...found, on: 11 })])
  expect(again).toMatchObject([{ since: '2024-09-10T03:00:00.000Z', intervals: ['2024-09-08'] }])
})

test.each<[string, Given]>([
  ['of another day', { on: 11, days: ['2024-09-09', '2024-09-09'], iceberg: { '2024-09-09': 'match' } }],
  ['of plain Parquet', { on: 11, parquet: { '2024-09-08': 'match' } }],
  ['by counts', { on: 11, columns: 0, iceberg: { '2024-09-08': 'match' } }],
  ['that did not come to the rows', { on: 11, error: 'no answer' }],
])('a verify %s does not make it right', (_, after) => {
  expect(wrongIn(found, after)).toEqual([['2024-09-08']])
})

test('a verify of the day, of days around it, and of everything does', () => {
  for (const days of [['2024-09-08', '2024-09-08'], ['2024-09-01', '2024-09-10'], undefined] as const)
    expect(wrongIn(found, { on: 11, ...(days && { days }), iceberg: { '2024-09-08': 'match' } })).toEqual([])
  const byCounts = { ...found, columns: 0 }
  expect(wrongIn(byCounts, { on: 11, columns: 0, iceberg: { '2024-09-08': 'match' } })).toEqual([])
})

test('one format that is right does not hide the other, in the same verify, either way round', () => {
  const run = { on: 10, iceberg: { all: 'mismatch' }, parquet: { all: 'match' } }
  expect(wrongIn(run)).toEqual([['all']])
  expect(eventsIn([verify(run)], 'default.t')).toMatchObject([{ wrong: ['all'], error: 'all: mismatch' }])
  const other = { on: 10, iceberg: { all: 'match' }, parquet: { all: 'incomplete' } }
  expect(wrongIn(other)).toEqual([['all']])
  expect(eventsIn([verify(other)], 'default.t')).toMatchObject([{ wrong: ['all'] }])
})

test('more than a summary has room for is wrong until all that it was about is right', () => {
  const many = { on: 10, days: ['2024-08-01', '2024-09-08'] as const, more: 5 }
  const cut = { ...many, iceberg: { '2024-09-08': 'mismatch' } }
  expect(wrongIn(cut)).toEqual([['2024-09-08', 'others']])
  expect(eventsIn([verify(cut)], 'default.t')).toMatchObject([
    { days: [{ from: '2024-09-08', to: '2024-09-08' }], wrong: ['2024-09-08'] },
  ])
  const part = { on: 11, days: ['2024-09-01', '2024-09-08'] as const, iceberg: { '2024-09-08': 'match' } }
  expect(wrongIn(cut, part)).toEqual([['others']])
  expect(wrongIn(cut, part, { ...part, on: 12, days: ['2024-07-01', '2024-09-09'] })).toEqual([])
})

test('months, earlier rows and those without a day are right by a verify of all of their days', () => {
  const months = { on: 10, iceberg: { '2024-07': 'mismatch', earlier: 'incomplete', null: 'mismatch' } }
  const july = { on: 11, days: ['2024-07-01', '2024-07-30'] as const, iceberg: {} }
  expect(wrongIn(months, july)).toEqual([['2024-07', 'earlier', 'null']])
  expect(wrongIn(months, { ...july, days: ['2024-07-01', '2024-07-31'] })).toEqual([['earlier', 'null']])
  expect(wrongIn(months, { on: 12, iceberg: {} })).toEqual([])
})

test('what could not be proven is not wrong', () => {
  expect(wrongIn({ on: 10, iceberg: { '2024-09-08': 'unverified' } })).toEqual([])
})

test('the line tells the worst, and of how many intervals it is one', () => {
  const lineOf = (iceberg: Results): string[] =>
    wrongRows([verify({ on: 10, iceberg })]).map((rows) => wrongRowsText(rows))
  expect(lineOf({ '2024-09-08': 'mismatch' })).toEqual(['2024-09-08: mismatch'])
  expect(lineOf({ '2024-09-08': 'mismatch', '2024-09-09': 'incomplete' })).toEqual([
    '2024-09-08: mismatch (wrong in all: 2 intervals)',
  ])
})

test('a verify that is named can be pasted, whatever the table is called', () => {
  const run = verify({ on: 10, iceberg: { '2024-09-08': 'mismatch', '2024-09-07': 'mismatch' }, more: 3 })
  const tables = run.tables!.map((one) => ({ ...one, table: 'default.a b', fix: undefined }))
  expect(wrongRows([{ ...run, tables }])[0]!.fix).toBe(
    "lakejobs verify --table 'default.a b' --date 2024-09-08",
  )
})
