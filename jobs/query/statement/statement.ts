/** A statement as the engine gets it, and whether only its plan is wanted. */
export interface Statement {
  readonly sql: string
  readonly explain: boolean
}

/** Texts that are one token, in the order in which they are tried: comments, texts, quoted names, words, anything. */
const token =
  /--[^\n]*|\/\*[^]*?\*\/|\s+|[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[^]*?\$\1\$|[\p{L}_][\p{L}\p{N}_$]*|[^]/gu

const isBlank = (text: string): boolean => /^(?:\s|--|\/\*)/.test(text)

/**
 * What the user wrote, made ready for the engine's parser: `explain` in front is taken off, a semicolon behind too, and
 * `default`, the usual namespace, which to the parser is a word of its own, is quoted where a dot follows. The engine is
 * given this very text and judges it: nothing here decides what is allowed.
 */
export function readStatement(text: string): Statement {
  const tokens = text.match(token) ?? []
  const first = tokens.findIndex((one) => !isBlank(one))
  const explain = tokens[first]?.toLowerCase() === 'explain'
  const rest = explain ? tokens.slice(first + 1) : tokens
  const end = rest.findLastIndex((one) => !isBlank(one) && one !== ';')
  const kept = rest.slice(0, end + 1)
  const sql = kept.map((one, at) => {
    if (one.toLowerCase() !== 'default') return one
    const next = kept.slice(at + 1).find((other) => !isBlank(other))
    return next === '.' ? `"${one}"` : one
  })
  return { sql: sql.join(''), explain }
}
