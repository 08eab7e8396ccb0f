import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml'
import type { At, Report } from './faults.ts'

/** A value of the file. Scalars are texts, as they are written: what they mean, the option says. */
export type Value =
  | { readonly kind: 'text'; readonly at: At; readonly text: string }
  | { readonly kind: 'nothing'; readonly at: At }
  | { readonly kind: 'list'; readonly at: At; readonly items: readonly Value[] }
  | { readonly kind: 'map'; readonly at: At; readonly entries: readonly Entry[] }

export interface Entry {
  readonly key: string
  readonly at: At
  readonly value: Value
}

/** Aliases of aliases may name a short file's values a billion times, and one that contains itself without end. */
const mostValues = 100_000
const deepest = 50

/**
 * Reads YAML 1.2: `yes` and `12:00` are texts. Undefined where the text is no YAML; all that is wrong goes to `report`. `${NAME}` and
 * `${NAME:-x}` are replaced in values, `$${` is `${`; another `${` is reported.
 *
 * @param look the environment
 */
export function readDocument(
  text: string,
  look: (name: string) => string | undefined,
  report: Report,
): Value | undefined {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  })
  const at = (offset: number): At => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  for (const { code, pos, message } of [...document.errors, ...document.warnings])
    report({
      at: at(pos[0]),
      field: '',
      ...(code === 'MULTIPLE_DOCS'
        ? { message: 'a second document begins', fix: 'put all into one, without --- between' }
        : { message: message.split('\n')[0]!, fix: 'correct the YAML there' }),
    })
  if (document.errors.length > 0) return undefined
  return createReader(document, at, look, report)(document.contents, '', { line: 1, column: 1 })
}

function createReader(
  document: Document,
  at: (offset: number) => At,
  look: (name: string) => string | undefined,
  report: Report,
): (node: Node | null, field: string, otherwise: At) => Value {
  let left = mostValues
  const resolved = new Map<Node, Node>()
  const read = (node: Node | null, field: string, otherwise: At, depth = 0): Value => {
    const place = node?.range ? at(node.range[0]) : otherwise
    if (left < 0) return { kind: 'nothing', at: place }
    left = depth > deepest ? -1 : left - 1
    if (left < 0) {
      report({ at: place, field, message: 'aliases make it too large', fix: 'write values out, or fewer' })
      return { kind: 'nothing', at: place }
    }
    if (isAlias(node)) {
      // Looking for an anchor goes through the whole document.
      const target = resolved.get(node) ?? node.resolve(document)
      if (target !== undefined) resolved.set(node, target)
      return target === undefined ? { kind: 'nothing', at: place } : read(target, field, place, depth + 1)
    }
    if (isMap(node)) return { kind: 'map', at: place, entries: entries(node.items, field, place, depth) }
    if (isSeq(node))
      return {
        kind: 'list',
        at: place,
        items: node.items.map((item) => read(item as Node | null, field, place, depth + 1)),
      }
    if (!isScalar(node) || node.value === null) return { kind: 'nothing', at: place }
    const written = typeof node.value === 'string' ? node.value : (node.source ?? '')
    const { text, missing, isWhole } = interpolate(written, look)
    if (!isWhole)
      report({
        at: place,
        field,
        message: 'a ${ begins neither ${NAME} nor ${NAME:-value}',
        fix: 'write one of them, with nothing to be replaced in the value, or $${ for the characters themselves',
      })
    for (const name of missing)
      report({
        at: place,
        field,
        message: `\${${name}} is not set`,
        fix: `set ${name} in the environment or in .env, or write \${${name}:-value}`,
      })
    return { kind: 'text', at: place, text }
  }
  const entries = (
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    field: string,
    place: At,
    depth: number,
  ): Entry[] =>
    pairs.flatMap(({ key, value }): Entry[] => {
      const own = isScalar(key) && key.range ? at(key.range[0]) : place
      if (!isScalar(key)) {
        report({ at: own, field, message: 'a key is no text', fix: 'write key: value' })
        return []
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? '')
      if (name === '<<' && key.type === 'PLAIN') {
        report({
          at: own,
          field,
          message: 'YAML 1.2 has no merge keys (<<)',
          fix: 'write the keys out, or give what several tables share under defaults or in a group',
        })
        return []
      }
      const below = field === '' ? name : `${field}.${name}`
      return [{ key: name, at: own, value: read(value as Node | null, below, own, depth + 1) }]
    })
  return read
}

const reference = /\$\$\{|\$\{([A-Za-z_]\w*)(:-(?:(?!\$\{)[^}])*)?\}|\$\{/g

function interpolate(
  text: string,
  look: (name: string) => string | undefined,
): { readonly text: string; readonly missing: readonly string[]; readonly isWhole: boolean } {
  const missing: string[] = []
  let isWhole = true
  const replaced = text.replace(reference, (whole, name?: string, fallback?: string) => {
    if (whole === '${') isWhole = false
    if (name === undefined) return '${'
    const found = look(name)
    if (found !== undefined && found !== '') return found
    if (fallback === undefined) missing.push(name)
    return fallback?.slice(2) ?? whole
  })
  return { text: replaced, missing, isWhole }
}
