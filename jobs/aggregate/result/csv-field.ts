const comma = 0x2c
const quote = 0x22
const cr = 0x0d
const lf = 0x0a

/**
 * Appends `bytes[start … end - 1]` to `target` at `at` as one CSV field (RFC 4180) and returns the position behind
 * it. Quoted only if a comma, quote, CR or LF is in it; leading and trailing spaces are data and need no quotes.
 * `target` must have room for `2 * (end - start) + 2` bytes.
 */
export function putField(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let place = at
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte <= comma && (byte === comma || byte === quote || byte === cr || byte === lf)) {
      return putQuoted(target, at, bytes, start, end)
    }
    target[place++] = byte
  }
  return place
}

function putQuoted(target: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): number {
  let place = at
  target[place++] = quote
  for (let i = start; i < end; i++) {
    if (bytes[i] === quote) target[place++] = quote
    target[place++] = bytes[i]!
  }
  target[place++] = quote
  return place
}

/**
 * Appends a whole number, 0 to 2^53, in decimal and returns the position behind it. `target` must have room for
 * `maxDigits` bytes.
 */
export function putNumber(target: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    target[at] = 0x30 + value
    return at + 1
  }
  let length = 2
  for (let power = 100; power <= value; power *= 10) length++
  let rest = value
  for (let place = at + length - 1; place >= at; place--) {
    // 32-bit division is several times faster, and nearly every count fits. Above, a plain quotient would be rounded.
    const quotient = rest <= 0x7fffffff ? ((rest | 0) / 10) | 0 : (rest - (rest % 10)) / 10
    target[place] = 0x30 + (rest - quotient * 10)
    rest = quotient
  }
  return at + length
}

/** Digits of 2^53. */
export const maxDigits = 16
