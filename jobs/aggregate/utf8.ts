/**
 * The length in bytes (1–4) of the UTF-8 sequence that starts at `at` and ends at or before `end`, or 0 when
 * the bytes there are not one: a lone continuation byte, an overlong form, a surrogate (U+D800–U+DFFF),
 * above U+10FFFF, or cut short. The table of well-formed sequences is Unicode 3.9 table 3-7 (RFC 3629 §4).
 */
export function utf8SequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (at + length > end) return 0
  // Only the second byte's range depends on the lead: this is where overlong forms and surrogates hide.
  const second = bytes[at + 1]!
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let i = at + 2; i < at + length; i++) if ((bytes[i]! & 0xc0) !== 0x80) return 0
  return length
}

/** Whether `bytes[start … end - 1]` is well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end;) {
    const length = utf8SequenceLength(bytes, i, end)
    if (length === 0) return false
    i += length
  }
  return true
}
