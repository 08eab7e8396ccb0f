/**
 * The `.env` file as Docker Compose reads it, so that one file serves the host and the containers:
 * unquoted and double-quoted values expand `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME-default}`; `$$` is a
 * dollar sign; single-quoted values are literal; double quotes know the escapes \n \r \t \" \\ \$; an unquoted
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
    return { value: interpolate(value, look), length: end }
  }
  const closed = (
    quote === '"'
      ? /^"((?:[^"\\]|\\[\s\S])*)"[ \t]*(?:#[^\n]*)?(?=\n|$)/
      : /^'([^']*)'[ \t]*(?:#[^\n]*)?(?=\n|$)/
  ).exec(text)
  if (closed?.[1] === undefined) throw new Error(`line ${line} has a quote that is not closed`)
  const value = quote === "'" ? closed[1] : interpolate(unescape(closed[1]), look)
  return { value, length: closed[0].length }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$$' }

const unescape = (text: string): string =>
  text.replace(/\\([nrt"\\$])/g, (whole, letter: string) => escapes[letter] ?? whole)

const reference = /\$\$|\$\{([A-Za-z_]\w*)(?:(:?-)([^}]*))?\}|\$([A-Za-z_]\w*)/g

function interpolate(text: string, look: Lookup): string {
  return text.replace(
    reference,
    (whole, braced?: string, operator?: string, fallback?: string, bare?: string) => {
      if (whole === '$$') return '$'
      const found = look(braced ?? bare ?? '')
      const missing = operator === ':-' ? found === undefined || found === '' : found === undefined
      return missing ? (fallback ?? '') : (found ?? '')
    },
  )
}
