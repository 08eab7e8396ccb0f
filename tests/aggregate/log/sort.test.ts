import { describe, expect, it } from '@jest/globals'
import { sortedOrder } from '../../../jobs/aggregate/log/sort.ts'
import { createRandom } from '../../../jobs/random.ts'

/** Sorts `texts` (latin1) with the function under test. */
function sorted(texts: string[]): string[] {
  const offsets = new Uint32Array(texts.length + 1)
  texts.forEach((text, i) => (offsets[i + 1] = offsets[i]! + text.length))
  const order = sortedOrder(Buffer.from(texts.join(''), 'latin1'), offsets, texts.length)
  return [...order].map((id) => texts[id]!)
}

describe('sortedOrder', () => {
  it.each([
    ['few', 100, 3, 255],
    ['many with equal prefixes at every depth', 20_000, 24, 2],
    ['many of every byte', 20_000, 6, 255],
  ])('sorts %s strings by unsigned bytes', (_, count, length, highest) => {
    const random = createRandom(1, 'sort')
    const texts = new Set<string>()
    while (texts.size < count) {
      const bytes = Array.from({ length: 1 + random.below(length) }, () => 1 + random.below(highest))
      texts.add(String.fromCharCode(...bytes))
    }
    // Latin-1 text compares as its bytes do.
    expect(sorted([...texts])).toEqual([...texts].sort((a, b) => (a < b ? -1 : 1)))
  })

  it('sorts strings that differ only behind a very long prefix', () => {
    const texts = Array.from(
      { length: 600 },
      (_, i) => `${'p'.repeat(4003)}${String(997 - i).padStart(4, '0')}`,
    )
    expect(sorted(texts)).toEqual([...texts].reverse())
  })

  it('takes nothing and one', () => {
    expect(sorted([])).toEqual([])
    expect(sorted(['a'])).toEqual(['a'])
  })
})
