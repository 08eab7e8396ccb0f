import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { webLogRows, type WebLogOptions } from '../../jobs/seed/rows.ts'

interface Row {
  readonly user: number
  readonly url: string
  readonly time: number
  readonly status: number
  readonly micros: number
}

const generate = (options: WebLogOptions): Buffer => Buffer.concat([...webLogRows(options, () => undefined)])

function parse(copy: Buffer): Row[] {
  const rows: Row[] = []
  for (let at = 19; copy.readInt16BE(at) !== -1;) {
    const fields: Buffer[] = []
    let from = at + 2
    for (let field = 0; field < 5; field++) {
      const length = copy.readInt32BE(from)
      fields.push(copy.subarray(from + 4, from + 4 + length))
      from += 4 + length
    }
    at = from
    rows.push({
      user: fields[0]!.readInt32BE(),
      url: fields[1]!.toString(),
      time: fields[2]!.readInt32BE(),
      status: fields[3]!.readInt32BE(),
      micros: Number(fields[4]!.readBigInt64BE()) + 946_684_800_000_000,
    })
  }
  return rows
}

const options = { rows: 50_000, days: 7, date: '2024-09-24', seed: 42 }
const rows = parse(generate(options))
const share = (predicate: (row: Row) => boolean): number => rows.filter(predicate).length / rows.length
const between = (value: number, low: number, high: number): void => {
  expect(value).toBeGreaterThan(low)
  expect(value).toBeLessThan(high)
}

describe('the rows of web_logs', () => {
  it('are as many as wanted and the same for the same seed', () => {
    const digest = (copy: Buffer): string => createHash('sha256').update(copy).digest('hex')
    expect(rows.length).toBe(50_000)
    expect(digest(generate(options))).toBe(digest(generate(options)))
    expect(digest(generate({ ...options, seed: 43 }))).not.toBe(digest(generate(options)))
    expect(parse(generate({ ...options, rows: 0 }))).toEqual([])
  })

  it('lie in the days, in order, uniformly', () => {
    const first = Date.parse('2024-09-18T00:00:00Z') * 1000
    const day = 86_400_000_000
    expect(rows.every(({ micros }) => micros >= first && micros < first + 7 * day)).toBe(true)
    expect(rows.every(({ micros }, index) => index === 0 || micros >= rows[index - 1]!.micros)).toBe(true)
    for (let n = 0; n < 7; n++) {
      between(
        share(({ micros }) => Math.floor((micros - first) / day) === n),
        0.137,
        0.149,
      )
    }
  })

  it('have users 1–1000 and the five urls, orders numbered 1–10000', () => {
    expect([Math.min(...rows.map(({ user }) => user)), Math.max(...rows.map(({ user }) => user))]).toEqual([
      1, 1000,
    ])
    for (const url of ['/api/login', '/api/orders', '/api/products', '/api/cart']) {
      between(
        share((row) => row.url === url),
        0.195,
        0.205,
      )
    }
    const numbers = rows
      .map(({ url }) => /^\/api\/orders\/([1-9]\d*)$/.exec(url)?.[1])
      .filter((n) => n !== undefined)
    between(numbers.length / rows.length, 0.195, 0.205)
    expect([Math.min(...numbers.map(Number)), Math.max(...numbers.map(Number))]).toEqual([1, 10_000])
  })

  it('have the statuses in their proportions', () => {
    const of = (status: number): number => share((row) => row.status === status)
    between(of(200), 0.895, 0.905)
    for (const [status, expected] of [
      [400, 0.07 / 9],
      [404, 0.35 / 9],
      [429, 0.07 / 9],
      [500, 0.03 / 6],
      [503, 0.09 / 6],
    ] as const) {
      between(of(status), expected * 0.8, expected * 1.2)
    }
    expect(new Set(rows.map(({ status }) => status)).size).toBe(10)
  })

  it('take 150 ± 50 ms, one in twenty is slow, none is above 2 s or below 1 ms', () => {
    const times = rows.map(({ time }) => time)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1)
    expect(Math.max(...times)).toBe(2000)
    between(
      share(({ time }) => time >= 300),
      0.049,
      0.0545,
    )
    const usual = times.filter((time) => time < 300)
    const mean = usual.reduce((sum, time) => sum + time, 0) / usual.length
    const deviation = Math.sqrt(usual.reduce((sum, time) => sum + (time - mean) ** 2, 0) / usual.length)
    between(mean, 148.5, 151)
    between(deviation, 48.5, 50.5)
  })
})
