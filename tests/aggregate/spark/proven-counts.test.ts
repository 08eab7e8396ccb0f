import { describe, expect, it } from '@jest/globals'
import { provenCounts } from '../../../jobs/aggregate/spark/proven-counts.ts'

const day = '2024-09-16'
const events = { creates: 1, reads: 2, updates: 0, deletes: 0 }
const good = { others: 1, headers: 1, other_day: 2, checksum: 77, ...events }
const written = { emails: 2, email_bytes: 9, ...events }
// The header, a row of 28 bytes and two of 26, without their emails, and those.
const size = 23 + 28 + 2 * 26 + 9
const look = { key: 'k', size, startsWithHeader: true, checksum: 77 }
const prove = (
  lines: object = {},
  counts: object = {},
  looked: object = {},
): ReturnType<typeof provenCounts> =>
  provenCounts(
    day,
    new Map<string, Record<string, number>>([
      [`lines of ${day}`, { ...good, ...lines }],
      [`counts of ${day}`, { ...written, ...counts }],
    ]),
    { ...look, ...looked },
  )

describe('what Spark counted', () => {
  it('is proven where each byte is accounted for', () => {
    const totals = {
      rows: 3,
      events: [1, 2, 0, 0],
      emailBytes: 9,
      bytes: size,
      rejectedBytes: 0,
      rejects: 0,
      blankLines: 0,
      headerLines: 1,
      otherDayRows: 2,
    }
    expect(prove()).toEqual({ totals, emails: 2 })
    // Without its last line feed.
    expect(prove({}, {}, { size: size - 1 })).toEqual({ totals: { ...totals, bytes: size - 1 }, emails: 2 })
    const noHeader = prove({ headers: 0, others: 0 }, {}, { size: size - 23, startsWithHeader: false })
    expect(noHeader).toMatchObject({ totals: { headerLines: 0 } })
  })

  it.each([
    ['a byte is missing', {}, {}, { size: size + 1 }, `its counts are of ${size} of its ${size + 1} bytes`],
    [
      'there are two too many',
      {},
      {},
      { size: size - 2 },
      `its counts are of ${size} of its ${size - 2} bytes`,
    ],
    [
      'it read another file of this size',
      { checksum: 78 },
      {},
      {},
      'Spark read other bytes: the log is another one where SPARK_PATH_MAP leads',
    ],
    ['a line is no row', { others: 2 }, {}, {}, '1 of its lines are not plain rows'],
    ['two lines are headers', { headers: 2, others: 2 }, {}, {}, 'a header is in its middle'],
    ['the header is not the first line', {}, {}, { startsWithHeader: false }, 'a header is in its middle'],
    [
      'an action was written otherwise',
      {},
      { creates: 0, deletes: 1 },
      {},
      'what was written is not what was counted',
    ],
    ['a row was left out of both', { reads: 1 }, { reads: 1 }, {}, /^its counts are of/],
    ['an email was cut', {}, { email_bytes: 7 }, {}, /^its counts are of/],
    ['actions were not counted', {}, { updates: undefined }, {}, 'what was written is not what was counted'],
    ['emails were not counted', {}, { emails: undefined }, {}, 'Spark did not say what passed'],
    ['other days were not counted', { other_day: undefined }, {}, {}, 'Spark did not say what passed'],
  ])('is not when %s', (_, lines, counts, looked, why) => {
    expect(prove(lines, counts, looked)).toMatch(why)
  })

  it('is not when nothing was observed', () => {
    expect(provenCounts(day, new Map(), look)).toBe('Spark did not say what passed')
  })
})
