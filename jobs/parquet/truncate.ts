/** A bound of a column's values; `exact` when a row holds it, otherwise it only encloses them. */
export interface Bound {
  readonly bytes: Uint8Array
  readonly exact: boolean
}

/**
 * Shortens a lower bound to at most `length` bytes: a prefix sorts before what it was cut from. `utf8`: cut
 * between code points.
 */
export function truncateLower({ bytes, exact }: Bound, length: number, utf8: boolean): Bound {
  if (bytes.length <= length) return { bytes, exact }
  return { bytes: bytes.slice(0, utf8 ? codePointStart(bytes, length) : length), exact: false }
}

/**
 * Shortens an upper bound to about `length` bytes and raises it above what it was cut from: the last byte, or the
 * last code point, that can be incremented is. Undefined when none can (all 0xFF, all U+10FFFF).
 */
export function truncateUpper({ bytes, exact }: Bound, length: number, utf8: boolean): Bound | undefined {
  if (bytes.length <= length) return { bytes, exact }
  const raised = utf8 ? raiseCodePoint(bytes, codePointStart(bytes, length)) : raiseByte(bytes, length)
  return raised && { bytes: raised, exact: false }
}

/** The start of the code point that position `at` lies in. */
function codePointStart(bytes: Uint8Array, at: number): number {
  while (at > 0 && (bytes[at]! & 0xc0) === 0x80) at--
  return at
}

function raiseByte(bytes: Uint8Array, end: number): Uint8Array | undefined {
  let last = end - 1
  while (last >= 0 && bytes[last] === 0xff) last--
  if (last < 0) return undefined
  const raised = bytes.slice(0, last + 1)
  raised[last] = raised[last]! + 1
  return raised
}

const lastCodePoint = 0x10ffff

function raiseCodePoint(bytes: Uint8Array, end: number): Uint8Array | undefined {
  for (let from = end; from > 0;) {
    const to = from
    from = codePointStart(bytes, to - 1)
    const codePoint = new TextDecoder().decode(bytes.subarray(from, to)).codePointAt(0)!
    if (codePoint === lastCodePoint) continue
    // Surrogates are no code points: U+D7FF is followed by U+E000.
    const next = codePoint === 0xd7ff ? 0xe000 : codePoint + 1
    return Buffer.concat([bytes.subarray(0, from), Buffer.from(String.fromCodePoint(next))])
  }
  return undefined
}
