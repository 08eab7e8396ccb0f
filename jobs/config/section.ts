import { JobError, listed, nearest } from '../errors.ts'
import type { OptionSpec, OptionTable } from '../options/options.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import type { Entry, Value } from './document.ts'
import { partsOf, type At, type Report } from './faults.ts'

/** What an option is given as: the words of its flag, repeated if there are several. */
export type Words = string | readonly string[]

/** A value and where it stands. */
export interface Given {
  readonly words: Words
  readonly at: At
}

/** Options by name, as the file gives them in one place. */
export type Section = ReadonlyMap<string, Given>

/** Throws a `JobError` for what an option's kind does not tell: `--format csv`. */
export type OptionCheck = (name: string, words: Words) => void

/** The words of what has one value. */
export function textOf(section: Section, name: string): string | undefined {
  const words = section.get(name)?.words
  return typeof words === 'string' ? words : words?.join(',')
}

/** `max_shrink` is `max-shrink`. */
const plainKey = (key: string): string => key.replaceAll('_', '-')

/**
 * The entries of a map by their names, each once; other keys than `known` are reported. Anything but a map is, too; nothing
 * at all is an empty one.
 */
export function keysOf(
  value: Value,
  field: string,
  known: readonly string[],
  report: Report,
): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>()
  for (const entry of entriesOf(value, field, report)) {
    const name = plainKey(entry.key)
    const below = pathOf(field, entry.key)
    const before = found.get(name)
    const near = nearest(known, name)
    if (!known.includes(name))
      report({
        at: entry.at,
        field: below,
        message: `"${entry.key}" is no key ${field === '' ? 'of the file' : `of ${field}`}`,
        fix: near.length === 0 ? `give one of ${listed(known)}` : `did you mean ${near.join(' or ')}?`,
      })
    else if (before !== undefined) reportTwice(entry, before, below, report)
    else found.set(name, entry)
  }
  return found
}

/** The entries of a map whose keys are names of the user's own. */
export function entriesOf(value: Value, field: string, report: Report): readonly Entry[] {
  if (value.kind === 'map') return value.entries
  if (value.kind !== 'nothing')
    report({
      at: value.at,
      field,
      message: `a ${value.kind} stands where keys belong`,
      fix: 'write key: value, or {} for nothing',
    })
  return []
}

export const reportTwice = (entry: Entry, before: Entry, field: string, report: Report): void => {
  report({
    at: entry.at,
    field,
    message: `"${entry.key}" is there twice, in line ${before.at.line} too`,
    fix: 'keep one of them',
  })
}

export const pathOf = (field: string, key: string): string => (field === '' ? key : `${field}.${key}`)

/** Options of `table` among `entries`, whose values hold; what does not is reported. */
export function readSection(
  entries: ReadonlyMap<string, Entry>,
  table: OptionTable,
  field: string,
  report: Report,
  check: OptionCheck = () => undefined,
): Section {
  const section = new Map<string, Given>()
  for (const [name, { key, value }] of entries) {
    const spec = table[name]
    if (spec === undefined) continue
    const below = pathOf(field, key)
    const words = wordsOf(spec, value, below, report)
    if (words === undefined) continue
    try {
      resolveOptions({ [name]: spec }, { [name]: words }, {})
      check(name, words)
      section.set(name, { words, at: value.at })
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      const { message, fix } = partsOf(error)
      report({ at: value.at, field: below, message: message.replace(`--${name}: `, ''), fix })
    }
  }
  return section
}

/** Lists and maps where a flag repeats; undefined, and reported, where the value is of another kind. */
function wordsOf(spec: OptionSpec, value: Value, field: string, report: Report): Words | undefined {
  const refuse = (at: At, message: string, fix: string): Words | undefined => {
    report({ at, field, message, fix })
    return undefined
  }
  const isList = spec.kind === 'list'
  const isPairs = isList && spec.pairs === true
  switch (value.kind) {
    case 'text':
      return value.text
    case 'nothing':
      return refuse(value.at, 'it has no value', 'give one, or leave the key out')
    case 'list': {
      if (!isList) return refuse(value.at, 'a list stands where one value belongs', 'give one value')
      const other = value.items.find(({ kind }) => kind !== 'text')
      if (other !== undefined) return refuse(other.at, 'an item is no text', 'give each item one value')
      if (value.items.length === 0)
        return refuse(value.at, 'the list is empty', 'give an item, or leave the key out')
      return value.items.flatMap((item) => (item.kind === 'text' ? [item.text] : []))
    }
    case 'map': {
      const { entries } = value
      if (!isPairs)
        return refuse(value.at, 'keys stand where a value belongs', `give ${isList ? 'a list' : 'one value'}`)
      const other = entries.find((entry) => entry.value.kind !== 'text')
      if (other !== undefined)
        return refuse(other.value.at, `${other.key} has not one value`, 'give each key one value')
      const keys = entries.map(({ key }) => key)
      const twice = entries.find(({ key }, index) => keys.indexOf(key) !== index)
      if (twice !== undefined) return refuse(twice.at, `"${twice.key}" is there twice`, 'keep one of them')
      if (entries.length === 0) return refuse(value.at, 'it has no keys', 'give one, or leave the key out')
      return entries.flatMap((entry) =>
        entry.value.kind === 'text' ? [`${entry.key}=${entry.value.text}`] : [],
      )
    }
  }
}
