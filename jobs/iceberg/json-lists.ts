import { stringifyJson, type JsonValue } from './json.ts'

/**
 * Lists of objects that never change, once read or written, and their text in JSON (without brackets, UTF-8), by their
 * last element. A table's snapshots are most of the megabytes of a long history: written as they came, they cost
 * nothing and nothing of them can be lost.
 */
const known = new WeakMap<object, { readonly list: readonly object[]; readonly text: string | Buffer }>()

/** Notes the text that a list was parsed from; undefined is no text. */
export function rememberList(list: readonly object[], text: string | undefined): void {
  const last = list.at(-1)
  if (last !== undefined && text !== undefined) known.set(last, { list, text })
}

/** The list as JSON without brackets. A commit adds one element to those that it found, which are only copied. */
export function listBytes(list: readonly object[]): Buffer {
  const last = list.at(-1)
  if (last === undefined) return Buffer.alloc(0)
  const whole = knownBytes(list)
  if (whole !== undefined) return whole
  const before = knownBytes(list.slice(0, -1))
  const bytes =
    before === undefined ? encoded(list) : Buffer.concat([before, Buffer.from(','), encoded([last])])
  known.set(last, { list, text: bytes })
  return bytes
}

const encoded = (list: readonly object[]): Buffer =>
  Buffer.from(stringifyJson(list as unknown as JsonValue).slice(1, -1))

function knownBytes(list: readonly object[]): Buffer | undefined {
  const last = list.at(-1)
  const entry = last && known.get(last)
  if (entry?.list.length !== list.length || list.some((one, index) => one !== entry.list[index]))
    return undefined
  return typeof entry.text === 'string' ? Buffer.from(entry.text) : entry.text
}
