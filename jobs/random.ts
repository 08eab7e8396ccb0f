import { createHash } from 'node:crypto'

/** Reproducible random numbers: the same state gives the same sequence on every machine. Not for secrets. */
export interface Random {
  /** A whole number, uniform in [0, 2^32). */
  readonly uint32: () => number
  /** A whole number, uniform in [0, `bound`), without bias; `bound` from 1 to 2^32. */
  readonly below: (bound: number) => number
}

/**
 * The generator for one purpose of one seed: its state is the start of SHA-256 of `<seed>/<stream>`, so streams
 * (`events 2024-09-10`) are independent of each other and of the order in which they are drawn.
 */
export function createRandom(seed: number, stream: string): Random {
  const digest = createHash('sha256').update(`${seed}/${stream}`).digest()
  return xoshiro128([
    digest.readUInt32LE(0),
    digest.readUInt32LE(4),
    digest.readUInt32LE(8),
    digest.readUInt32LE(12),
  ])
}

/**
 * xoshiro128** 1.1 by Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c), period 2^128 − 1.
 * `state`: four 32-bit words, not all zero. Exported for its authors' test vectors, which begin with a state.
 */
export function xoshiro128(state: readonly [number, number, number, number]): Random {
  let [s0, s1, s2, s3] = state.map((word) => word | 0) as [number, number, number, number]

  const uint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = rotateLeft(s3, 11)
    return result
  }
  return {
    uint32,
    below(bound) {
      // Drawing again above the last whole multiple of `bound` makes every remainder equally likely.
      const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound)
      let drawn = uint32()
      while (drawn >= limit) drawn = uint32()
      return drawn % bound
    },
  }
}

/** The 32-bit finaliser of MurmurHash3 (Appleby, public domain): a bijection, every bit of `word` moves every bit. */
export function mixed32(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by))
