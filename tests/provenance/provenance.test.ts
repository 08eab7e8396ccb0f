import { describe, expect, it } from '@jest/globals'
import type { DayRange } from '../../jobs/calendar.ts'
import type { Interval } from '../../jobs/provenance/interval.ts'
import {
  compareReads,
  isIn,
  otherRead,
  provenanceEntries,
  rowsOf,
  type SourceRead,
} from '../../jobs/provenance/provenance.ts'
import { byName } from './by-name.ts'

const days = (from: string, to = from): readonly DayRange[] => [{ from, to }]
const fingerprint = (rows: number) => ({ rows, nulls: [0], sum: [rows, 0, 0, 0] }) as const
const read = (sourceTime: string, source = 'public.t'): SourceRead => ({
  runId: 'r',
  source: { table: source },
  sourceTime,
  fieldIds: [1],
  readAs: { day: 1, casts: new Map(), lossyCasts: new Map(), decimals: new Map(), rowSecurity: false },
  intervals: byName({
    '2024-01-01': fingerprint(5),
    '2024-01-03': fingerprint(7),
    null: fingerprint(9),
  }),
})
const firstDay: Interval = { kind: 'day', day: '2024-01-01' }
const [early, late] = ['2024-09-01T00:00:00.000001Z', '2024-09-01T00:00:00.000002Z']

describe('another read of the source', () => {
  it.each([
    ['earlier', 'full', early, 'full', 'older'],
    [
      'earlier, of other days',
      days('2024-01-02', '2024-01-03'),
      early,
      days('2024-01-01', '2024-01-02'),
      'older',
    ],
    ['later', 'full', late, 'full', 'newer'],
    ['later, of everything', days('2024-01-02', '2024-01-03'), late, 'full', 'newer'],
    [
      'later, of more days',
      days('2024-01-02', '2024-01-03'),
      late,
      days('2024-01-01', '2024-01-03'),
      'newer',
    ],
    ['later, of fewer days', days('2024-01-02', '2024-01-03'), late, days('2024-01-03'), undefined],
    ['later, of one day against all', 'full', late, days('2024-01-03'), undefined],
    [
      'later, of the same days apart',
      [...days('2024-01-01'), ...days('2024-01-03')],
      late,
      [...days('2024-01-01'), ...days('2024-01-03', '2024-01-04')],
      'newer',
    ],
    [
      'later, of days with a gap',
      days('2024-01-01', '2024-01-03'),
      late,
      [...days('2024-01-01'), ...days('2024-01-03')],
      undefined,
    ],
  ] as const)('%s', (_, own, time, replaced, expected) => {
    const time0 = time === early ? late : early
    expect(compareReads(read(time0), own, provenanceEntries(read(time), replaced))).toBe(expected)
  })

  it('more than an hour ahead is not believed, whatever it replaced', () => {
    const at = (time: string): unknown =>
      compareReads(read('2024-09-01T00:00:00.000000Z'), 'full', provenanceEntries(read(time), 'full'))
    expect(at('2024-09-01T01:00:00.000000Z')).toBe('newer')
    expect(at('2024-09-01T01:00:00.001000Z')).toBe('ahead')
    expect(at('2025-09-01T00:00:00.000000Z')).toBe('ahead')
  })

  it('of another source, or a foreign snapshot, is neither', () => {
    expect(
      compareReads(read(early), 'full', provenanceEntries(read(late, 'public.u'), 'full')),
    ).toBeUndefined()
    expect(compareReads(read(early), 'full', { operation: 'append' })).toBeUndefined()
  })

  it('says which days it replaced, and the fingerprints of those alone', () => {
    const entries = provenanceEntries(read(early), [
      ...days('2024-01-01', '2024-01-02'),
      ...days('2024-01-05'),
    ])
    expect(entries['lakejobs.scope']).toBe('2024-01-01/2024-01-02,2024-01-05/2024-01-05')
    const other = otherRead(entries)!
    expect(other.replaced).toEqual([...days('2024-01-01', '2024-01-02'), ...days('2024-01-05')])
    expect(other.fingerprints?.intervals.map(({ interval }) => interval)).toEqual([firstDay])
    expect(otherRead(provenanceEntries(read(early), 'full'))?.fingerprints?.intervals).toHaveLength(3)
    expect([rowsOf(read(early), 'full'), rowsOf(read(early), days('2024-01-01', '2024-01-31'))]).toEqual([
      21, 12,
    ])
    const nulls: Interval = { kind: 'nulls' }
    expect([isIn('full', nulls), isIn(days('2024-01-01'), nulls), isIn([], firstDay)]).toEqual([
      true,
      false,
      false,
    ])
    expect(isIn(days('2024-01-01'), firstDay)).toBe(true)
  })
})
