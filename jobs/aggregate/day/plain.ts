const bom = Buffer.from([0xef, 0xbb, 0xbf])
const forbidden = [0x22, 0x0d, 0x00] as const

/**
 * Whether an engine reads these bytes as the grammar means them: no quote, CR or NUL, and no BOM at the start of the
 * file. What else could differ is found by counting bytes (aggregate-spec §1.2).
 */
export function isPlain(chunk: Uint8Array, first: boolean): boolean {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (first && bytes.subarray(0, bom.length).equals(bom)) return false
  return forbidden.every((byte) => !bytes.includes(byte))
}
