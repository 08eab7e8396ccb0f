import { dataError } from '../../errors.ts'
import { JsonText } from './json-text.ts'

/**
 * A JSON document without loss. Snapshot ids are 63-bit, and foreign writers' numbers must survive a rewrite
 * exactly: integers of 16 or more characters become `bigint`, other numbers that the native parser could
 * change (`.`, `e`, `-0`, more than 19 digits) a `JsonNumber` with their text; all others are plain numbers.
 */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | bigint
  | JsonNumber
  | JsonText
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** A number kept as it was written. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const quote = 0x22
const backslash = 0x5c
const minus = 0x2d
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const safeLength = 16
const longestBigint = 20

/**
 * Control and private-use characters: the first that a document does not contain marks its wrapped numbers. Those below
 * 256 leave the text with one byte a character.
 */
const markers = [
  [0x80, 0x9f],
  [0xe000, 0xf8ff],
].flatMap(([first, last]) =>
  Array.from({ length: last! - first! + 1 }, (_, index) => String.fromCharCode(first! + index)),
)

/**
 * Parses a document (RFC 8259) without loss of numbers. Errors: `JobError` data, naming `name` (a location).
 * One scan wraps the numbers that need it in marked strings, then the native parser does the work: no number
 * is wrapped in most documents' megabytes (export-spec §3.9).
 */
export const parseJson = (text: string, name = 'JSON document'): JsonValue => parse(text, name)

/** What `parseWithArrays` takes out of a document. */
interface Taken {
  /** The member `member` of the objects in the document's array `array` is left as `JsonText` where it can be. */
  readonly later: { readonly array: string; readonly member: string }
  readonly texts: JsonText[]
  readonly arrays: Map<string, string>
}

/**
 * As `parseJson`, and the texts between the brackets of those of the document's members that are arrays. A member whose
 * key is written with escapes is missing. In the array `later.array`, the objects' `later.member` is a `JsonText` if it
 * is an object of strings without escapes: a long history has tens of thousands of strings that nobody looks at.
 */
export function parseWithArrays(
  text: string,
  name: string,
  later: Taken['later'],
): { readonly value: JsonValue; readonly arrays: ReadonlyMap<string, string> } {
  const taken: Taken = { later, texts: [], arrays: new Map() }
  return { value: parse(text, name, taken), arrays: taken.arrays }
}

function parse(text: string, name: string, taken?: Taken): JsonValue {
  try {
    const marker = unusedMarker(text)
    const pieces = wrapNumbers(text, marker, taken)
    if (pieces === undefined) return JSON.parse(text) as JsonValue
    return unwrap(JSON.parse(pieces) as JsonValue, marker, taken?.texts)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw dataError(`${name} is not valid JSON: ${error.message}`, { field: name, cause: error })
  }
}

/** The document as text; what `parseJson` read is written with every number as it came. */
export function stringifyJson(value: JsonValue, indent?: number): string {
  for (const marker of markers) {
    const counter = { wrapped: 0 }
    const text = JSON.stringify(wrap(value, marker, counter), undefined, indent)
    if (counter.wrapped === 0) return text
    // A marker that the document itself contains would be taken for a number: try the next one.
    if (text.split(marker).length - 1 === counter.wrapped)
      return text.replaceAll(new RegExp(`"${marker}([^"]*)"`, 'gu'), '$1')
  }
  throw dataError('the JSON document contains every character that could mark its numbers')
}

function unusedMarker(text: string): string {
  const escaped = text.includes('\\u')
  for (const marker of markers) {
    const escape = `\\\\u${marker.charCodeAt(0).toString(16).padStart(4, '0')}`
    if (!text.includes(marker) && !(escaped && new RegExp(escape, 'i').test(text))) return marker
  }
  throw dataError('the JSON document contains every character that could mark its numbers')
}

/**
 * The text with every number that needs it as `"<marker>number"`, and what is parsed later as `"<marker>{index"`;
 * undefined when there is neither.
 */
function wrapNumbers(text: string, marker: string, taken?: Taken): string | undefined {
  let out = ''
  let copied = 0
  let depth = 0
  let key = ''
  let start = 0
  const { length } = text
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const first = at + 1
      at = endOfString(text, at)
      if (depth === 1) key = text.slice(first, at)
      const end = depth === 3 ? endOfLater(text, first, at, key, taken) : undefined
      if (end === undefined || taken === undefined) continue
      const open = text.indexOf('{', at)
      out += `${text.slice(copied, open)}"${marker}{${taken.texts.length}"`
      taken.texts.push(new JsonText(text.slice(open, end)))
      copied = end
      at = end - 1
    } else if (code === openBrace || code === openBracket) {
      depth++
      if (depth === 2) start = at + 1
    } else if (code === closeBrace || code === closeBracket) {
      depth--
      // Of a key that is there twice the last one counts, as in JSON.parse.
      if (depth !== 1) continue
      if (code === closeBracket) taken?.arrays.set(key, text.slice(start, at))
      else taken?.arrays.delete(key)
    } else if (code === minus || (code >= 0x30 && code <= 0x39)) {
      const end = endOfNumber(text, at)
      if (needsWrapping(text, at, end)) {
        const number = text.slice(at, end)
        assertNumber(number)
        out += `${text.slice(copied, at)}"${marker}${number}"`
        copied = end
      }
      at = end - 1
    }
  }
  return copied === 0 ? undefined : out + text.slice(copied)
}

const string = '"[^"\\\\\\u0000-\\u001f]*"'
const space = '[ \\t\\n\\r]*'
const pair = `${space}${string}${space}:${space}${string}${space}`
/** Of a member: what follows its key when it is an object of strings. */
const stringsOnly = new RegExp(`${space}:${space}\\{(?:${pair}(?:,${pair})*|${space})\\}`, 'y')

/** Behind the value of the key in [first, end) when it may be parsed later. */
function endOfLater(
  text: string,
  first: number,
  end: number,
  array: string,
  taken: Taken | undefined,
): number | undefined {
  if (array !== taken?.later.array) return undefined
  const { member } = taken.later
  if (end - first !== member.length || !text.startsWith(member, first)) return undefined
  stringsOnly.lastIndex = end + 1
  return stringsOnly.test(text) ? stringsOnly.lastIndex : undefined
}

function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end++
  return end
}

/** Digits, `+`, `-`, `.`, `e`, `E`: what can stand inside a number. */
const isNumberPart = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  code === 0x2b ||
  code === minus ||
  code === 0x2e ||
  code === 0x65 ||
  code === 0x45

function needsWrapping(text: string, start: number, end: number): boolean {
  if (end - start >= safeLength) return true
  if (text.charCodeAt(start) === minus && text.charCodeAt(start + 1) === 0x30) return true
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2e || code === 0x65 || code === 0x45) return true
  }
  return false
}

/** A wrapped number escapes the native parser's check, so the grammar is checked here. */
function assertNumber(text: string): void {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) throw new SyntaxError(`bad number ${text}`)
}

function numberFrom(text: string): bigint | JsonNumber {
  return /^-?[1-9]\d*$/.test(text) && text.length <= longestBigint ? BigInt(text) : new JsonNumber(text)
}

/** Replaces marked strings in place: the tree was made by the native parser and is nobody else's. */
function unwrap(value: JsonValue, marker: string, texts?: readonly JsonText[]): JsonValue {
  if (typeof value === 'string') {
    if (!value.startsWith(marker)) return value
    return (value[1] === '{' ? texts?.[Number(value.slice(2))] : undefined) ?? numberFrom(value.slice(1))
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value as JsonValue[]
    for (let index = 0; index < items.length; index++) items[index] = unwrap(items[index]!, marker, texts)
    return items
  }
  const children = value as Record<string, JsonValue>
  for (const key of Object.keys(children)) {
    const child = children[key] as JsonValue
    if (typeof child === 'string' ? child.startsWith(marker) : typeof child === 'object' && child !== null)
      children[key] = unwrap(child, marker, texts)
  }
  return value
}

/** A copy with marked strings where needed; what needs none is returned as it is. */
function wrap(value: JsonValue, marker: string, counter: { wrapped: number }): JsonValue {
  if (typeof value === 'bigint' || value instanceof JsonNumber) {
    counter.wrapped++
    return marker + (typeof value === 'bigint' ? value.toString() : value.text)
  }
  if (value instanceof JsonText) return value.parsed()
  if (typeof value !== 'object' || value === null) return value
  const children = value as Record<string, JsonValue | undefined>
  let copy: Record<string, JsonValue> | undefined
  for (const key of Object.keys(children)) {
    const child = children[key]
    if (child === undefined) continue
    const wrapped = wrap(child, marker, counter)
    if (wrapped === child) continue
    copy ??= (Array.isArray(value) ? [...(value as JsonValue[])] : { ...children }) as Record<
      string,
      JsonValue
    >
    copy[key] = wrapped
  }
  return copy ?? value
}
