import { expect, test } from '@jest/globals'
import type { Freshness } from '../../../jobs/check/freshness.ts'
import type { TableEvent } from '../../../jobs/report/gather/events.ts'
import { tableDays } from '../../../jobs/report/model/days.ts'

const at = (time: string): number => Date.parse(`2024-09-${time}:00:00Z`)
const event = (kind: TableEvent['kind'], time: string, more: Partial<TableEvent> = {}): TableEvent => ({
  ...{ kind, ms: at(time), runId: `${kind} ${time}`, days: 'full', wrong: [] },
  ...{ rows: undefined, error: undefined, fix: undefined, log: undefined },
  ...more,
})
const of = (from: string, to = from): TableEvent['days'] => [{ from: `2024-09-${from}`, to: `2024-09-${to}` }]
const byDay = (more: Partial<Freshness> = {}): Freshness => ({
  ...{ isByDay: true, first: '2024-09-10', to: '2024-09-16', missing: [], exportedMs: at('17T03') },
  ...{ isLate: false, source: undefined },
  ...more,
})
const asWhole = (exported: string, isLate = false): Freshness => ({
  ...byDay({ isByDay: false, first: undefined, to: undefined, exportedMs: at(exported), isLate }),
})
/** The states of the last days up to the 16th, by their first letters, and the runs. */
const last = (count: number, freshness: Freshness, ...events: readonly TableEvent[]): [string, unknown[]] => {
  const days = tableDays({ freshness, events: [...events].sort((a, b) => a.ms - b.ms) }, '2024-09-16')
  expect(days).toHaveLength(30)
  expect([days[0]!.day, days.at(-1)!.day]).toEqual(['2024-08-18', '2024-09-16'])
  const shown = days.slice(-count)
  return [shown.map(({ state }) => state[0]!).join(''), shown.map(({ run }) => run)]
}

test('of a table by day: what is there, what lacks, and nothing before its first day', () => {
  expect(last(9, byDay({ missing: ['2024-09-12', '2024-09-16'] }))[0]).toBe('nneemeeem')
})

test('the newest run about a day decides', () => {
  const [states, runs] = last(
    4,
    byDay({ missing: ['2024-09-16'] }),
    event('exported', '15T03', { days: of('13', '14') }),
    event('unchanged', '16T03', { days: of('14', '15') }),
    event('failed', '17T03', { days: of('15', '15') }),
  )
  expect(states).toBe('eufm')
  expect(runs).toEqual(['exported 15T03', 'unchanged 16T03', 'failed 17T03', undefined])
})

test('a failure that a later run has mended is none', () => {
  const tries = [event('failed', '17T03', { days: of('16') }), event('exported', '17T04', { days: of('16') })]
  expect(last(1, byDay(), ...tries)).toEqual(['e', ['exported 17T04']])
})

test('a day is verified by a check of its rows as they are, and wrong where the check says so', () => {
  const exported = event('exported', '16T03', { days: of('13', '16') })
  const check = event('verified', '16T04', { wrong: ['2024-09-14'] })
  expect(last(4, byDay(), exported, check)[0]).toBe('vfvv')
  expect(last(4, byDay(), exported, event('verified', '16T02'))[0]).toBe('eeee')
  expect(last(4, byDay(), exported, event('verified', '17T02', { days: of('15') }))[0]).toBe('eeve')
  expect(last(2, byDay(), event('verified', '17T02', { wrong: ['2024-09'] }))[0]).toBe('ff')
})

test('an export of everything is about the days that were over', () => {
  expect(last(3, byDay(), event('exported', '16T03'))[1]).toEqual([
    'exported 16T03',
    'exported 16T03',
    undefined,
  ])
})

test('of a table that is exported as a whole: each export at the day that was over; late from then on', () => {
  const exports = [event('exported', '14T03'), event('unchanged', '15T03'), event('failed', '16T03')]
  expect(last(5, asWhole('15T03', true), ...exports)[0]).toBe('neufm')
  expect(last(5, asWhole('15T03'), ...exports)[0]).toBe('neufn')
})

test('a check proves the export before it, and no earlier one', () => {
  const events = [event('exported', '14T03'), event('exported', '16T03'), event('verified', '17T03')]
  expect(last(4, asWhole('16T03'), ...events)[0]).toBe('envn')
})

test('the newest day that is shown has what came later, too', () => {
  expect(last(3, asWhole('29T03'), event('exported', '15T03'), event('exported', '29T03'))[0]).toBe('ene')
})
