import { describe, expect, it } from '@jest/globals'
import { createArena, type Take } from '../../jobs/kernel/arena.ts'

describe('an arena', () => {
  it('gives aligned room that does not overlap, and never address 0', () => {
    const { take } = createArena(1024)
    expect([take(1), take(64), take(65), take(0), take(1)]).toEqual([64, 128, 192, 320, 320])
  })

  it('takes back what a scope took, also one that fails', () => {
    const arena = createArena(1024)
    const lasting = arena.take(8)
    const inScope = (): number => arena.scope((take) => take(512))
    const first = inScope()
    expect(first).toBeGreaterThan(lasting)
    expect(() => {
      arena.scope((take) => {
        take(512)
        throw new Error('failed')
      })
    }).toThrow('failed')
    for (let i = 0; i < 100; i++) expect(inScope()).toBe(first)
    expect(arena.take(8)).toBe(first)
  })

  it('has scopes within scopes: the outer one goes on behind its own', () => {
    const arena = createArena(1024)
    arena.scope((take) => {
      const own = take(64)
      const inner = arena.scope((takeInner) => takeInner(64))
      expect([inner, take(64)]).toEqual([own + 64, own + 64])
    })
  })

  it('refuses to be taken from where the room would be given back too early', () => {
    const arena = createArena(1024)
    let ended: Take | undefined
    arena.scope((take) => {
      ended = take
      expect(() => arena.take(1)).toThrow(TypeError)
      arena.scope(() => {
        expect(() => take(1)).toThrow(TypeError)
      })
    })
    expect(() => ended?.(1)).toThrow(TypeError)
  })

  it('refuses what there is no room for, and stays as it was', () => {
    const { take } = createArena(256)
    expect(() => take(193)).toThrow('the kernel has no room for 193 bytes more')
    expect(take(192)).toBe(64)
  })
})
