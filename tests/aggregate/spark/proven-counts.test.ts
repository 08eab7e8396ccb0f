import { describe, expect, it } from '@jest/globals'
import { provenCounts } from '../../../jobs/aggregate/spark/proven-counts.ts'

const day = '2024-09-16'
const events = { creates: 1, reads: 2, updates: 0, deletes: 0, email_bytes: 9 }
const good = { lines: 4, bytes: 100, clean: 3, headers: 1, other_day: 2, checksum: 77, ...events }
const look = { key: 'k', size: 100, startsWithHeader: true, checksum: 77 }
const prove = (
  lines: object = {},
  counts: object = {},
  looked: object = {},
): ReturnType<typeof provenCounts> =>
  provenCounts(
    day,
    new Map<string, Record<string, number>>([
      [`lines of ${day}`, { ...good, ...lines }],
      [`counts of ${day}`, { emails: 2, ...events, ...counts }],
    ]),
    { ...look, ...looked },
  )

describe('what Spark counted', () => {
  it('is proven where each byte is accounted for', () => {
    const totals = {
      rows: 3,
      events: [1, 2, 0, 0],
      emailBytes: 9,
      bytes: 100,
      rejectedBytes: 0,
      rejects: 0,
      blankLines: 0,
      headerLines: 1,
      otherDayRows: 2,
    }
    expect(prove()).toEqual({ totals, emails: 2 })
    // Without its last line feed.
    expect(prove({ bytes: 101 })).toEqual({ totals, emails: 2 })
    expect(prove({ headers: 0, lines: 3 })).toMatchObject({ totals: { headerLines: 0 } })
  })

  it.each([
    ['a byte is missing', { bytes: 99 }, {}, {}, 'Spark saw 99 of its 100 bytes'],
    ['there are two too many', { bytes: 102 }, {}, {}, 'Spark saw 102 of its 100 bytes'],
    [
      'it read another file of this size',
      { checksum: 78 },
      {},
      {},
      'Spark read other bytes: the log is another one where SPARK_PATH_MAP leads',
    ],
    ['a line is no row', { lines: 5 }, {}, {}, '1 of its lines are not plain rows'],
    ['two lines are headers', { headers: 2, lines: 5 }, {}, {}, 'a header is in its middle'],
    ['the header is not the first line', {}, {}, { startsWithHeader: false }, 'a header is in its middle'],
    [
      'an action was counted otherwise',
      {},
      { reads: 1, creates: 2 },
      {},
      'the counts do not come to the rows',
    ],
    ['an email was cut', {}, { email_bytes: 8 }, {}, 'the counts do not come to the rows'],
    ['a row was left out of both', { reads: 1 }, { reads: 1 }, {}, 'the counts do not come to the rows'],
    ['emails were not counted', {}, { emails: undefined }, {}, 'the counts do not come to the rows'],
  ])('is not when %s', (_, lines, counts, looked, why) => {
    expect(prove(lines, counts, looked)).toBe(why)
  })

  it('is not when nothing was observed', () => {
    expect(provenCounts(day, new Map(), look)).toBe('Spark did not say what passed')
  })
})
