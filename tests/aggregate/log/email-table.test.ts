import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
// Jest looks a global up slowly, each time.
import { Buffer } from 'node:buffer'
import {
  createEmailTable,
  bytesBetweenLooks,
  type EmailTable,
} from '../../../jobs/aggregate/log/email-table.ts'
import { rowsTo } from '../../../jobs/aggregate/log/row-by-row.ts'
import { createLogScanner, maxRecordBytes } from '../../../jobs/aggregate/log/scanner.ts'
import { createRandom } from '../../../jobs/random.ts'
import { expectSame } from '../../support/expect-same.ts'
import { listCounts, pieces, scan, takeAll, type Scanned } from './scan.ts'

const day = '2024-09-10'
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const sortedByBytes = (emails: Iterable<string>): string[] =>
  Array.from(emails, latin1)
    .sort((a, b) => Buffer.compare(a, b))
    .map((bytes) => bytes.toString('latin1'))

const sortedCounts = (counts: ReadonlyMap<string, readonly number[]>): Scanned['counts'] =>
  sortedByBytes(counts.keys()).map((email) => [email, ...counts.get(email)!])

/** Counts one event of each email (latin1), in `bytes` of its own. */
function add(table: EmailTable, emails: Iterable<string>, action = 1): void {
  const { take } = table.taker(day)
  for (const email of emails) {
    const bytes = latin1(`<${email}>`)
    take(bytes, 1, bytes.length - 1, action, 0)
  }
}

/** What the scanner finds where it hands over each row by itself, and a Map counts them. */
function scanByRow(chunks: readonly Buffer[]): Scanned {
  const counts = new Map<string, number[]>()
  const rejects: Scanned['rejects'] = []
  const taker = rowsTo(day, (emails, start, end, action) => {
    const email = emails.toString('latin1', start, end)
    if (!counts.has(email)) counts.set(email, [0, 0, 0, 0])
    counts.get(email)![action]!++
  })
  const scanner = createLogScanner(day, taker, ({ line, reason, raw }) => {
    rejects.push([line, reason, raw.toString('latin1')])
  })
  for (const chunk of chunks) scanner.push(chunk)
  const totals = { ...scanner.end() }
  return { totals, counts: sortedCounts(counts), rejects }
}

describe('createEmailTable', () => {
  const table = createEmailTable()

  it('counts as a Map does and sorts as Buffer.compare does, whatever the length', () => {
    // Of two bytes only, so that many share what is compared at once; the hash takes 16 and 32 bytes at a time.
    const email = fc
      .tuple(fc.constantFrom(0, 7, 15, 31, 63), fc.uint8Array({ min: 1, minLength: 1, maxLength: 9, max: 2 }))
      .map(([prefix, bytes]) => '\x01'.repeat(prefix) + Buffer.from(bytes).toString('latin1'))
    fc.assert(
      fc.property(fc.array(fc.tuple(email, fc.nat(3)), { maxLength: 3000, size: 'max' }), (events) => {
        const expected = new Map<string, number[]>()
        for (const [key, action] of events) {
          add(table, [key], action)
          if (!expected.has(key)) expected.set(key, [0, 0, 0, 0])
          expected.get(key)![action]!++
        }
        expectSame(listCounts(takeAll(table, 100)), sortedCounts(expected))
      }),
      { numRuns: 30 },
    )
  })

  it.each([
    ['few', 100, 3, 255],
    ['many with equal prefixes at every depth', 20_000, 40, 2],
    ['many of every byte', 20_000, 6, 255],
  ])('sorts %s emails by unsigned bytes', (_, count, length, highest) => {
    const random = createRandom(1, 'sort')
    const texts = new Set<string>()
    while (texts.size < count) {
      const bytes = Array.from({ length: 1 + random.below(length) }, () => 1 + random.below(highest))
      texts.add(String.fromCharCode(...bytes))
    }
    add(table, texts)
    expectSame(
      listCounts(takeAll(table)).map(([email]) => email),
      sortedByBytes(texts),
    )
  })

  it('sorts emails that differ only behind a very long prefix, and tells them apart', () => {
    const texts = Array.from(
      { length: 600 },
      (_, i) => `${'p'.repeat(4003)}${String(997 - i).padStart(4, '0')}`,
    )
    add(table, [...texts, ...texts])
    const counts = listCounts(takeAll(table))
    expect(counts.map(([email]) => email)).toEqual([...texts].reverse())
    expect(counts.every(([, , reads]) => reads === 2)).toBe(true)
  })

  it('hands over nothing, one, and an email as long as a record in a batch of its own', () => {
    expect(listCounts(takeAll(table))).toEqual([])
    add(table, ['a'])
    expect(listCounts(takeAll(table))).toEqual([['a', 0, 1, 0, 0]])
    const long = 'x'.repeat(2 ** 20 - 30)
    add(
      table,
      Array.from({ length: 40 }, (_, i) => `${long}${String(i).padStart(2, '0')}`),
    )
    const batches = Array.from(table.batches(65_536), ({ rows }) => rows)
    expect([batches.length > 1, batches.reduce((sum, rows) => sum + rows)]).toEqual([true, 40])
  })

  it('grows under the rows of a log, quoted ones among them, and says how much it holds', () => {
    const small = createEmailTable()
    const empty = small.heldBytes()
    const scanner = createLogScanner(day, small.taker(day), ({ reason }) => {
      throw new Error(reason)
    })
    const emails = 150_000
    const tail = 'y'.repeat(120)
    for (let from = 0; from < emails; from += 1000) {
      const rows = Array.from({ length: 1000 }, (_, i) => {
        const email = `${(from + i) * 7}${tail}`
        return `${i % 3 === 0 ? `"${email}"` : email},UPDATE,${day} 23:59:59\r\n`
      })
      scanner.push(Buffer.from(rows.join('')))
    }
    expect(scanner.end().rows).toBe(emails)
    expect(small.emails()).toBe(emails)
    expect(small.heldBytes()).toBeGreaterThan(emails * (120 + 40))
    const seen = { rows: 0, last: Buffer.alloc(0), wrong: 0 }
    for (const batch of small.batches(10_000)) {
      for (let row = 0; row < batch.rows; row++) {
        const email = Buffer.from(batch.emails.subarray(batch.offsets[row], batch.offsets[row + 1]))
        if (batch.update[row] !== 1 || seen.last.compare(email) >= 0) seen.wrong++
        seen.last = email
        seen.rows++
      }
    }
    expect([seen.rows, seen.wrong]).toEqual([emails, 0])
    expect(small.emails()).toBe(0)
    expect(small.heldBytes()).toBeGreaterThanOrEqual(empty)
  })

  it('is full before it has no room for the lines that an open quote holds back', () => {
    const most = createEmailTable()
    const reasons: string[] = []
    const scanner = createLogScanner(day, most.taker(day), ({ reason }) => reasons.push(reason))
    const end = Buffer.from(`,READ,${day} 00:00:00\n`)
    const bytes = Buffer.alloc(bytesBetweenLooks)
    let lines = 0
    /** Lines with a new email of 4 bytes each, behind `first`. */
    const push = (count: number, first = ''): void => {
      let at = bytes.write(first)
      for (const last = lines + count; lines < last; lines++) {
        for (let digit = 0; digit < 4; digit++) bytes[at++] = 0x3a + ((lines >> (6 * digit)) & 63)
        at += end.copy(bytes, at)
      }
      scanner.push(bytes.subarray(0, at))
    }
    const perLook = Math.floor((bytesBetweenLooks - 1) / (4 + end.length))
    // Looked at when it is as long as a record may be, and again only at twice that.
    const quote = '"'.padEnd(maxRecordBytes - perLook * (4 + end.length), 'y')
    while (lines < 4_000_000) push(perLook)
    // Hardly fuller than it may be where somebody looks.
    while (!most.isFull()) push(500)
    const before = lines
    for (const first of [quote, '', '']) {
      expect(most.emails()).toBe(before)
      push(perLook, first)
    }
    const emails = lines - 1
    expect([reasons, most.emails()]).toEqual([['unclosed quote'], emails])
    // The first ones are where too many slots would lie.
    lines = 0
    push(perLook)
    expect(most.emails()).toBe(emails)
  })

  /** CPU time of counting and sorting, microseconds. */
  const cpuOf = (emails: readonly string[]): number => {
    const before = process.cpuUsage()
    for (let round = 0; round < 3; round++) add(table, emails)
    const { rows, read } = takeAll(table)
    const { user, system } = process.cpuUsage(before)
    expect([rows, read.every((reads) => reads === 3)]).toEqual([emails.length, true])
    return user + system
  }

  it.each([
    ['high bits that undo each other in a product', 0x80000000, 0x80000000],
    ['bits that one word hands to the next', 0x80000000, 0x80010000],
    ['low bits', 0x00000001, 0x00000001],
  ])('is not slowed by emails that differ in %s', (_, first, second) => {
    const blocks = 14
    const made = Array.from({ length: 2 ** blocks }, (_each, number) => {
      const words = new Int32Array(2 * blocks).fill(0x61626364)
      for (let block = 0; block < blocks; block++) {
        if (((number >> block) & 1) === 0) continue
        words[2 * block]! ^= first
        words[2 * block + 1]! ^= second
      }
      return Buffer.from(words.buffer).toString('latin1')
    })
    const ordinary = made.map((_each, number) => `${number}`.padStart(8 * blocks, 'user'))
    // Once is enough; what else the machine does may disturb others.
    let least = Infinity
    for (let tries = 0; tries < 7 && least >= 2; tries++) {
      const usual = cpuOf(ordinary)
      least = Math.min(least, cpuOf(made) / usual)
    }
    expect(least).toBeLessThan(2)
  })

  // `scripts/campaign logs` makes it long.
  const { CAMPAIGN_SEED: seed, CAMPAIGN_STEPS: steps = '200' } = process.env
  it(
    'takes the same of any bytes as the scanner that looks at each row',
    () => {
      const row = fc
        .tuple(
          fc.oneof(
            fc.constantFrom('a', 'b@x', 'é', '#', '!', ' a', '"q,""', 'x'.repeat(40), ''),
            fc.string({ minLength: 1, maxLength: 70, unit: fc.constantFrom('a', 'b', '.', '@', '~', '+') }),
          ),
          fc.constantFrom(
            'CREATE',
            'READ',
            'UPDATE',
            'DELETE',
            'CREATED',
            'READ ',
            'read',
            'DELETF',
            'UPDATE,',
          ),
          fc.constantFrom(
            ...['2024-09-10 00:00:00', '2024-09-10 23:59:59', '2024-09-10 24:00:00', '2024-09-10 20:60:00'],
            ...['2024-09-11 12:00:00', '2024-09-1012:00:00', '2024-09-10 12:00:0', '2024-09-10 1a:00:00'],
            ...['2024-09-10 29:00:00', '2024-09-10 19:59:5:', '2024-09-10 12/00:00', '2025-09-10 12:00:00'],
          ),
          fc.constantFrom('\n', '\n', '\n', '\r\n', '\r', '\n\n', '\v', '\r\r\n', '', '\0\n'),
        )
        .map(([email, action, stamp, end]) => `${email},${action},${stamp}${end}`)
      const anything = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
      const usual = fc.constantFrom('u1@x', 'u2@x').map((email) => `${email},READ,${day} 12:26:57\n`)
      const log = fc.array(fc.oneof({ weight: 3, arbitrary: usual }, { weight: 3, arbitrary: row }, anything))
      fc.assert(
        fc.property(log, fc.integer({ min: 1, max: 400 }), (parts, size) => {
          const bytes = latin1(parts.join(''))
          expectSame(scan(pieces(bytes, size)), scanByRow([bytes]))
        }),
        { numRuns: Number(steps), ...(seed === undefined ? {} : { seed: Number(seed) }) },
      )
    },
    60_000 + 100 * Number(steps),
  )
})
