import { utf8SequenceLength } from '../utf8.ts'

const backslash = 0x5c
const hex = Buffer.from('0123456789abcdef')

/** The longest form of one byte. */
export const maxEscapedLength = 4

/**
 * Writes `bytes` to `target` at `at` as text that shows every byte and can be read back (operations-spec §1.7), and
 * returns the position behind it. `target` must have room for `maxEscapedLength` bytes per byte.
 *
 * - Well-formed UTF-8 stands as it is, except for what follows.
 * - A backslash becomes `\\`.
 * - Each byte of a control character other than the tab (U+0000–U+001F, U+007F, U+0080–U+009F) and each byte that is
 *   not part of well-formed UTF-8 becomes `\xNN`, two lower-case hexadecimal digits. So a reject is one line.
 *
 * To read it back, replace `\\` by a backslash and `\xNN` by the byte, from left to right.
 */
export function putEscaped(target: Uint8Array, at: number, bytes: Uint8Array): number {
  let place = at
  for (let i = 0; i < bytes.length;) {
    const length = utf8SequenceLength(bytes, i, bytes.length)
    if (length === 0 || isControl(bytes, i)) {
      for (const end = i + Math.max(length, 1); i < end; i++) place = putHex(target, place, bytes[i]!)
      continue
    }
    if (bytes[i] === backslash) target[place++] = backslash
    for (const end = i + length; i < end; i++) target[place++] = bytes[i]!
  }
  return place
}

/** Whether the well-formed character at `at` is a control character other than the tab. */
function isControl(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at]!
  if (lead === 0xc2) return bytes[at + 1]! < 0xa0
  return (lead < 0x20 && lead !== 0x09) || lead === 0x7f
}

function putHex(target: Uint8Array, at: number, byte: number): number {
  target[at] = backslash
  target[at + 1] = 0x78
  target[at + 2] = hex[byte >>> 4]!
  target[at + 3] = hex[byte & 15]!
  return at + 4
}
