import { describe, expect, it } from '@jest/globals'
import type { ExportScope } from '../../jobs/export/options.ts'
import { compareReads, provenanceEntries } from '../../jobs/export/provenance.ts'

const full: ExportScope = { mode: 'full' }
const days = (from: string, to: string): ExportScope => ({ mode: 'day', from, to })
const read = (sourceTime: string, scope: ExportScope, source = 'public.t') => ({
  runId: 'r',
  source,
  sourceTime,
  scope,
  fingerprint: '{}',
})
const [early, late] = ['2024-09-01T00:00:00.000001Z', '2024-09-01T00:00:00.000002Z']

describe('another read of the source', () => {
  it.each([
    ['earlier', full, early, full, 'older'],
    [
      'earlier, of other days',
      days('2024-01-02', '2024-01-03'),
      early,
      days('2024-01-01', '2024-01-02'),
      'older',
    ],
    ['later', full, late, full, 'newer'],
    ['later, of everything', days('2024-01-02', '2024-01-03'), late, full, 'newer'],
    [
      'later, of more days',
      days('2024-01-02', '2024-01-03'),
      late,
      days('2024-01-01', '2024-01-03'),
      'newer',
    ],
    [
      'later, of fewer days',
      days('2024-01-02', '2024-01-03'),
      late,
      days('2024-01-03', '2024-01-03'),
      undefined,
    ],
    ['later, of one day against all', full, late, days('2024-01-03', '2024-01-03'), undefined],
  ] as const)('%s', (_, own, time, scope, expected) => {
    const time0 = time === early ? late : early
    expect(compareReads(read(time0, own), provenanceEntries(read(time, scope)))).toBe(expected)
  })

  it('of another source, or a foreign snapshot, is neither', () => {
    expect(compareReads(read(early, full), provenanceEntries(read(late, full, 'public.u')))).toBeUndefined()
    expect(compareReads(read(early, full), { operation: 'append' })).toBeUndefined()
  })
})
