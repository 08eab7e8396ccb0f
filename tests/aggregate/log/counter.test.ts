import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createEmailCounter, hashOf, type EmailCounter } from '../../../jobs/aggregate/log/counter.ts'
import { listCounts } from './scan.ts'

/** The bytes with what must be readable behind them: garbage, which must not count. */
const viewOf = (bytes: Uint8Array, garbage = 0xff): DataView =>
  new DataView(Uint8Array.of(...bytes, garbage, garbage, garbage).buffer)

function add(counter: EmailCounter, bytes: Uint8Array, action: number): void {
  const view = viewOf(bytes)
  counter.add(view, 0, bytes.length, hashOf(view, 0, bytes.length), action)
}

describe('createEmailCounter', () => {
  it('hashes the email alone, wherever it stands', () => {
    for (const text of ['a', 'ab', 'abc', 'abcd', 'abcde', 'somebody@example.com']) {
      const [bytes, { length }] = [Buffer.from(text), text]
      const hash = hashOf(viewOf(bytes), 0, length)
      expect(hashOf(viewOf(bytes, 0x2c), 0, length)).toBe(hash)
      expect(hashOf(viewOf(Buffer.from(`x,${text}`)), 2, length + 2)).toBe(hash)
      expect(hashOf(viewOf(Buffer.from(`${text.slice(0, -1)}~`)), 0, length)).not.toBe(hash)
    }
  })

  it('counts as a Map does and sorts as Buffer.compare does', () => {
    const email = fc.uint8Array({ min: 1, minLength: 1, maxLength: 9, max: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(email, fc.nat(3)), { maxLength: 3000, size: 'max' }), (events) => {
        const counter = createEmailCounter()
        const expected = new Map<string, number[]>()
        for (const [bytes, action] of events) {
          add(counter, bytes, action)
          const key = Buffer.from(bytes).toString('latin1')
          if (!expected.has(key)) expected.set(key, [0, 0, 0, 0])
          expected.get(key)![action]!++
        }
        const sorted = [...expected].sort(([a], [b]) =>
          Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')),
        )
        expect(listCounts(counter.take())).toEqual(sorted.map(([key, of]) => [key, ...of]))
      }),
      { numRuns: 30 },
    )
  })

  it('tells emails with one hash apart', () => {
    const counter = createEmailCounter()
    for (const text of ['a', 'b', 'ab', 'a']) counter.add(viewOf(Buffer.from(text)), 0, text.length, 7, 1)
    expect(listCounts(counter.take())).toEqual([
      ['a', 0, 2, 0, 0],
      ['ab', 0, 1, 0, 0],
      ['b', 0, 1, 0, 0],
    ])
  })

  it('starts anew after take', () => {
    const counter = createEmailCounter()
    const empty = counter.heldBytes()
    for (let i = 0; i < 5000; i++) {
      add(counter, Buffer.from(`${i}@x`), 0)
    }
    expect(counter.heldBytes()).toBeGreaterThan(empty)
    expect(counter.take().rows).toBe(5000)
    expect(counter.heldBytes()).toBe(empty)
    expect(counter.take().rows).toBe(0)
  })
})
