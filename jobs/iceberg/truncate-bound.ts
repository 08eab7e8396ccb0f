const lastCodePoint = 0x10ffff
const firstSurrogate = 0xd800
const afterSurrogates = 0xe000

/** The first `length` code points (string) or bytes (binary): a lower bound of what begins with them. */
export function truncateLower(kind: 'string' | 'binary', bytes: Uint8Array, length: number): Uint8Array {
  if (kind === 'binary') return bytes.subarray(0, length)
  return Buffer.from(codePoints(bytes, length).join(''))
}

/**
 * An upper bound of at most `length` code points or bytes: what is longer is cut, and the last unit that can be
 * is incremented. Undefined when none can (all U+10FFFF, all 0xFF): then there is no bound.
 */
export function truncateUpper(
  kind: 'string' | 'binary',
  bytes: Uint8Array,
  length: number,
): Uint8Array | undefined {
  if (kind === 'binary') return bytes.length <= length ? bytes : incrementedBytes(bytes.slice(0, length))
  const points = codePoints(bytes, length + 1)
  if (points.length <= length) return bytes
  points.pop()
  while (points.length > 0) {
    const last = points.pop()!.codePointAt(0)!
    if (last === lastCodePoint) continue
    const next = last + 1 === firstSurrogate ? afterSurrogates : last + 1
    return Buffer.from(points.join('') + String.fromCodePoint(next))
  }
  return undefined
}

/** At most `most` code points of UTF-8 text; decodes no more of it than they can take. */
const codePoints = (bytes: Uint8Array, most: number): string[] =>
  Array.from(Buffer.from(bytes.subarray(0, 4 * most)).toString('utf8')).slice(0, most)

function incrementedBytes(bytes: Uint8Array): Uint8Array | undefined {
  for (let last = bytes.length - 1; last >= 0; last--) {
    if (bytes[last] === 0xff) continue
    bytes[last] = bytes[last]! + 1
    return bytes.subarray(0, last + 1)
  }
  return undefined
}
