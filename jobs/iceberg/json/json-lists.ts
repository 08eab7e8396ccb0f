import { stringifyJson, type JsonValue } from './json.ts'

/**
 * Lists of objects that never change, once read or written, and their text in JSON (without brackets, in pieces), by
 * their last element. A table's snapshots are most of the megabytes of a long history: written as they came, they cost
 * nothing and nothing of them can be lost.
 */
const known = new WeakMap<object, { readonly list: readonly object[]; readonly text: readonly string[] }>()

/** Notes the text that a list was parsed from; undefined is no text. */
export function rememberList(list: readonly object[], text: string | undefined): void {
  const last = list.at(-1)
  if (last !== undefined && text !== undefined) known.set(last, { list, text: [text] })
}

/**
 * The pieces of the list's JSON, without brackets. A commit adds one element to those that it found, whose text is not
 * even joined to the new one's: of megabytes, each copy counts.
 */
export function listText(list: readonly object[]): readonly string[] {
  const last = list.at(-1)
  if (last === undefined) return []
  const whole = knownText(list)
  if (whole !== undefined) return whole
  const before = knownText(list.slice(0, -1))
  const text = before === undefined ? [encoded(list)] : [...before, ',', encoded([last])]
  known.set(last, { list, text })
  return text
}

const encoded = (list: readonly object[]): string => stringifyJson(list as unknown as JsonValue).slice(1, -1)

function knownText(list: readonly object[]): readonly string[] | undefined {
  const last = list.at(-1)
  const entry = last && known.get(last)
  const isKnown = entry?.list.length === list.length && list.every((one, index) => one === entry.list[index])
  return isKnown ? entry.text : undefined
}
