import { createRandom, mixed32 } from '../random.ts'

const letters = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
const domains = ['@ya.ru', '@mail.ru', '@gmail.com'].map((domain) => Buffer.from(domain))
const shortest = 5
const lengths = 9 // 5 to 13 letters

/** How many distinct emails a seed has: the first five letters alone tell them apart. */
export const maxEmails = 52 ** shortest

/** The longest email, bytes. */
export const maxEmailBytes = shortest + lengths - 1 + '@gmail.com'.length

/** Writes email number `index` (0 to `maxEmails` − 1) to `target` at `at`; returns the position behind it. */
export type PutEmail = (target: Uint8Array, at: number, index: number) => number

/**
 * The emails of a seed, each computed from its number alone, so that any number of them needs no memory. Like the
 * published sample's: 5 to 13 letters of either case at ya.ru, mail.ru or gmail.com. They are distinct by
 * construction: the number is permuted (`permute` is a bijection of [0, 52^5)) and spelled in the first five letters;
 * the other letters, the length and the domain are hashes of it.
 */
export function createEmails(seed: number): PutEmail {
  const random = createRandom(seed, 'emails')
  const [addend, tailKey, formKey] = [random.uint32(), random.uint32(), random.uint32()]
  return (target, at, index) => {
    let place = putLetters(target, at, permute(index, addend), 5)
    const form = mixed32(index ^ formKey) >>> 1
    const more = form % lengths
    const rest = (form / lengths) | 0
    place = putLetters(target, place, mixed32(index ^ tailKey) >>> 1, Math.min(more, 5))
    if (more > 5) place = putLetters(target, place, (rest / 3) | 0, more - 5)
    const domain = domains[rest % 3]!
    for (const byte of domain) target[place++] = byte
    return place
  }
}

/** Spells the last `count` (at most 5) base-52 digits of `value` (below 2^31). */
function putLetters(target: Uint8Array, at: number, value: number, count: number): number {
  let rest = value
  for (let i = 0; i < count; i++) {
    const quotient = (rest / 52) | 0
    target[at + i] = letters[rest - quotient * 52]!
    rest = quotient
  }
  return at + count
}

const mask29 = 0x1fff_ffff

/**
 * A bijection of [0, 52^5): one of [0, 2^29), applied until the value falls below 52^5 again (cycle walking; 1.4
 * times on average). Each step is invertible modulo 2^29: adding, multiplying by an odd number, xor with its own
 * high bits.
 */
function permute(index: number, addend: number): number {
  let value = index
  do {
    value = (value + addend) & mask29
    value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) & mask29
    value = Math.imul(value ^ (value >>> 12), 0x297a2d39) & mask29
    value ^= value >>> 15
  } while (value >= maxEmails)
  return value
}
