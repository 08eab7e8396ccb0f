import { afterEach, describe, expect, it } from '@jest/globals'
import { freeMemory, memoryOf, obtainMemory, reuseMemory } from '../../jobs/vector/vector-memory.ts'

const MB = 2 ** 20

afterEach(() => {
  // Empties what goes round: memory of this size pushes out all other.
  reuseMemory([new ArrayBuffer(32 * MB + 8)])
})

describe('memory of vectors', () => {
  it('is used again for what it fits, the smallest first', () => {
    const [small, large] = [new ArrayBuffer(MB), new ArrayBuffer(1.5 * MB)]
    reuseMemory([large, small])
    expect(obtainMemory(MB - 3)).toBe(small)
    expect(obtainMemory(MB - 3)).toBe(large)
    expect(obtainMemory(MB - 3).byteLength).toBe(MB)
  })

  it('is not taken for half of it', () => {
    const large = new ArrayBuffer(2 * MB)
    reuseMemory([large])
    expect(obtainMemory(MB)).not.toBe(large)
    expect(obtainMemory(MB + 8)).toBe(large)
  })

  it('is freed, the oldest first, when there is more than a row group takes', () => {
    const [old, young] = [new ArrayBuffer(20 * MB), new ArrayBuffer(20 * MB)]
    reuseMemory([old])
    reuseMemory([young])
    expect([old.byteLength, young.byteLength]).toEqual([0, 20 * MB])
  })

  it('of a length that words do not fill is not used again', () => {
    const odd = new ArrayBuffer(10_001)
    reuseMemory([odd])
    expect(obtainMemory(10_000).byteLength).toBe(10_000)
    expect(odd.byteLength).toBe(0)
  })

  it('of less than a page neither goes round nor is looked at', () => {
    const piece = new ArrayBuffer(4088)
    reuseMemory([piece])
    expect(obtainMemory(4088) === piece).toBe(false)
    expect(piece.byteLength).toBe(4088)
  })

  it('is freed at once', () => {
    const memory = new ArrayBuffer(8)
    freeMemory([memory])
    expect(memory.byteLength).toBe(0)
  })

  it('of a vector is that of its values, offsets and NULLs', () => {
    const [bytes, words, flags] = [new ArrayBuffer(3), new ArrayBuffer(8), new ArrayBuffer(1)]
    const [data, offsets, defined] = [new Uint8Array(bytes), new Int32Array(words), new Uint8Array(flags)]
    expect(memoryOf([{ kind: 'bytes', data, offsets, count: 1, rows: 1, defined }])).toEqual([
      bytes,
      flags,
      words,
    ])
    const empty = { kind: 'fixed', width: 4, data: new Uint8Array(), count: 0, rows: 1 } as const
    expect(memoryOf([{ ...empty, defined: undefined }])).toEqual([])
  })
})
