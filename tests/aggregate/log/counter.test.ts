import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createEmailCounter, hashByte, hashStart } from '../../../jobs/aggregate/log/counter.ts'
import { listCounts } from './scan.ts'

const hashOf = (bytes: Uint8Array): number => bytes.reduce(hashByte, hashStart)

describe('createEmailCounter', () => {
  it('hashes with FNV-1a, 32 bit', () => {
    // The published vectors: http://www.isthe.com/chongo/tech/comp/fnv/
    expect(hashOf(Buffer.from('a')) >>> 0).toBe(0xe40c292c)
    expect(hashOf(Buffer.from('foobar')) >>> 0).toBe(0xbf9cf968)
  })

  it('counts as a Map does and sorts as Buffer.compare does', () => {
    const email = fc.uint8Array({ min: 1, minLength: 1, maxLength: 9, max: 4 })
    fc.assert(
      fc.property(fc.array(fc.tuple(email, fc.nat(3)), { maxLength: 3000, size: 'max' }), (events) => {
        const counter = createEmailCounter()
        const expected = new Map<string, number[]>()
        for (const [bytes, action] of events) {
          counter.add(bytes, 0, bytes.length, hashOf(bytes), action)
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
    for (const text of ['a', 'b', 'ab', 'a']) counter.add(Buffer.from(text), 0, text.length, 7, 1)
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
      const bytes = Buffer.from(`${i}@x`)
      counter.add(bytes, 0, bytes.length, hashOf(bytes), 0)
    }
    expect(counter.heldBytes()).toBeGreaterThan(empty)
    expect(counter.take().rows).toBe(5000)
    expect(counter.heldBytes()).toBe(empty)
    expect(counter.take().rows).toBe(0)
  })
})
