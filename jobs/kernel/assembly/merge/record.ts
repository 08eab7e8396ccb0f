// A record of a list: a word of 32 bits, which holds the email's length and says by its highest bit that the counts are wide; the
// email; four counts of 8 bits each, or as doubles where one of them is larger.

export const HEAD: u32 = 4
export const WIDE: u32 = 0x80000000
export const NARROW_COUNTS: u32 = 4
export const WIDE_COUNTS: u32 = 32

/** The length of the email whose record begins at `at`. */
export function lengthAt(at: u32): u32 {
  return load<u32>(at) & ~WIDE
}

/** The bytes that the record at `at` takes. */
export function sizeAt(at: u32): u32 {
  const head = load<u32>(at)
  return HEAD + (head & ~WIDE) + ((head & WIDE) != 0 ? WIDE_COUNTS : NARROW_COUNTS)
}
