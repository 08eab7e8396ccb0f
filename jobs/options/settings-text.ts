import { isUtf8 } from 'node:buffer'

/**
 * A file of settings as text. Errors: one that names the line with bytes of another encoding: as replaced letters they would be
 * values that nobody wrote.
 */
export function settingsText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString()
  if (isUtf8(bytes)) return text
  throw new Error(`line ${text.split('\uFFFD')[0]!.split('\n').length} is not UTF-8`)
}
