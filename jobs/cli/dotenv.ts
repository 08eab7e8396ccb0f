/**
 * The `.env` file as Docker Compose reads it, so that one file serves the host and the containers:
 * unquoted and double-quoted values expand `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `${NAME:+other}`, each
 * also without its colon, and references in those; `$$` is a dollar sign; single-quoted values are literal but for \'; double quotes know the escapes \n \r \t \" \\ \$; an unquoted
 * value ends at ` #`, so that one may start with `#`. Source: Compose specification, "Interpolation" and "env_file";
 * compose-go, dotenv/parser.go.
 */
const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*/

/**
 * @param text the file's content
 * @param outer values that `${NAME}` finds before the file's own (the process's environment)
 * @throws Error naming the line that is not an assignment
 */
export function parseDotenv(
  text: string,
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const values: Record<string, string> = {}
  const look = (name: string): string | undefined =>
    [outer, values].find((names) => Object.hasOwn(names, name))?.[name]
  let rest = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  for (let line = 1; rest !== '';) {
    const before = rest
    const blank = /^[ \t]*(?:#[^\n]*)?(?:\n|$)/.exec(rest)
    if (blank !== null) {
      rest = rest.slice(blank[0].length)
    } else {
      const match = assignment.exec(rest)
      if (match?.[1] === undefined) throw new Error(`line ${line} is not NAME=value`)
      const { value, length } = readValue(rest.slice(match[0].length), look, line)
      values[match[1]] = value
      rest = rest.slice(match[0].length + length)
    }
    line += before.slice(0, before.length - rest.length).split('\n').length - 1
  }
  return values
}

type Lookup = (name: string) => string | undefined

function readValue(text: string, look: Lookup, line: number): { value: string; length: number } {
  const quote = text[0]
  if (quote !== '"' && quote !== "'") {
    const end = !text.includes('\n') ? text.length : text.indexOf('\n')
    const value = text.slice(0, end).replace(/ #.*$/, '').trimEnd()
    return { value: interpolate(value, look, line), length: end }
  }
  const closed = (
    quote === '"'
      ? /^"((?:[^"\\]|\\[\s\S])*)"[ \t]*(?:#[^\n]*)?(?=\n|$)/
      : /^'((?:[^'\\]|\\[\s\S])*)'[ \t]*(?:#[^\n]*)?(?=\n|$)/
  ).exec(text)
  if (closed?.[1] === undefined) throw new Error(`line ${line} has a quote that is not closed`)
  const value =
    quote === "'"
      ? closed[1].replace(/\\(['\\])/g, (whole, letter: string) => (letter === "'" ? letter : whole))
      : interpolate(unescape(closed[1]), look, line)
  return { value, length: closed[0].length }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$$' }

const unescape = (text: string): string =>
  text.replace(/\\([nrt"\\$])/g, (whole, letter: string) => escapes[letter] ?? whole)

const opening = /\$(?:\$|\{([A-Za-z_]\w*)(:?[-?+]|\})|([A-Za-z_]\w*))/

function interpolate(text: string, look: Lookup, line: number): string {
  let done = ''
  let rest = text
  for (let match = opening.exec(rest); match !== null; match = opening.exec(rest)) {
    const [whole, braced = '', operator = '}', bare = braced] = match
    let end = match.index + whole.length
    let value = whole === '$$' ? '$' : (look(bare) ?? '')
    if (operator !== '}') {
      const closed = closingBrace(rest, end)
      // Of a reference that does not end nothing is replaced.
      if (closed === -1) break
      const other = rest.slice(end, closed)
      end = closed + 1
      const isSet = operator.startsWith(':') ? value !== '' : look(braced) !== undefined
      if (operator.endsWith('?') && !isSet)
        throw new Error(`line ${line} needs ${braced}: ${other || 'it is not set'}`)
      if (operator.endsWith('+') === isSet && !operator.endsWith('?')) value = interpolate(other, look, line)
    }
    done += rest.slice(0, match.index) + value
    rest = rest.slice(end)
  }
  return done + rest
}

/** Where the braces that are open at `from` are closed; -1: nowhere. */
function closingBrace(text: string, from: number): number {
  let open = 1
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') open++
    else if (text[at] === '}' && --open === 0) return at
  }
  return -1
}
