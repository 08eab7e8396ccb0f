/** A bound of a column's values; `exact` when a row holds it, otherwise it only encloses them. */
export interface Bound {
  readonly bytes: Uint8Array
  readonly exact: boolean
}

/** How long a bound may be: so many bytes (Parquet), or so many characters (Iceberg, of text; of bytes it is the same). */
export interface Length {
  readonly unit: 'bytes' | 'code points'
  readonly most: number
}

/** Shortens a lower bound: a prefix sorts before what it was cut from. `utf8`: cut between code points. */
export function truncateLower({ bytes, exact }: Bound, length: Length, utf8: boolean): Bound {
  const end = endOf(bytes, length, utf8)
  return end === bytes.length ? { bytes, exact } : { bytes: bytes.slice(0, end), exact: false }
}

/**
 * Shortens an upper bound and raises it above what it was cut from: the last byte, or the last code point, that can be
 * incremented is. Undefined when none can (all 0xFF, all U+10FFFF).
 */
export function truncateUpper({ bytes, exact }: Bound, length: Length, utf8: boolean): Bound | undefined {
  const end = endOf(bytes, length, utf8)
  if (end === bytes.length) return { bytes, exact }
  const above = raised(bytes.subarray(0, end), utf8)
  return above && { bytes: above, exact: false }
}

/**
 * What sorts above everything that begins with `prefix`, and is not longer; undefined when nothing does. `utf8`: whole
 * code points.
 */
export const raised = (prefix: Uint8Array, utf8: boolean): Uint8Array | undefined =>
  utf8 ? raiseCodePoint(prefix) : raiseByte(prefix)

/** Where `bytes` are cut. */
function endOf(bytes: Uint8Array, { unit, most }: Length, utf8: boolean): number {
  if (bytes.length <= most) return bytes.length
  if (!utf8) return most
  if (unit === 'bytes') return codePointStart(bytes, most)
  let end = 0
  for (let points = 0; points < most && end < bytes.length; points++) end = nextCodePoint(bytes, end)
  return end
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** The start of the code point that position `at` lies in. */
function codePointStart(bytes: Uint8Array, at: number): number {
  while (at > 0 && isContinuation(bytes[at])) at--
  return at
}

/** Behind the code point that starts at `at`. */
function nextCodePoint(bytes: Uint8Array, at: number): number {
  at++
  while (isContinuation(bytes[at])) at++
  return at
}

function raiseByte(bytes: Uint8Array): Uint8Array | undefined {
  const last = bytes.findLastIndex((byte) => byte !== 0xff)
  if (last < 0) return undefined
  // A Buffer's slice would be the same memory.
  const above = Uint8Array.from(bytes.subarray(0, last + 1))
  above[last] = above[last]! + 1
  return above
}

const lastCodePoint = 0x10ffff

function raiseCodePoint(bytes: Uint8Array): Uint8Array | undefined {
  for (let from = bytes.length; from > 0;) {
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
