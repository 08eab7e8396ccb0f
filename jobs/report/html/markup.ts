/** Markup that is safe to be written: it comes of `markup` alone. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = Markup | string | number | undefined | readonly Markup[]

/** Longer texts of data are cut. */
const mostCharacters = 200

/**
 * A template whose values are text, whatever they hold: escaped for elements and for attributes in double quotes alike. Markup
 * stays as it is; `undefined` is nothing. Lines of the template are not indented.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const [first = '', ...rest] = strings.map((one) => one.replace(/\n\s*/g, '\n'))
  return new Markup(first + rest.map((after, at) => partText(parts[at]) + after).join(''))
}

function partText(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'number') return String(part)
  return typeof part === 'string' ? escaped(shown(part)) : part.map(({ text }) => text).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!)

/**
 * Text of data as a person is to see it: what would be invisible, or would turn the text beside it round (controls, format
 * characters, the marks of bidirectional text, separators of lines), by its number, as `‹U+202E›`; what is too long cut.
 */
export function shown(text: string, most = mostCharacters): string {
  const characters = Array.from(text.slice(0, 2 * most + 2))
  const isCut = characters.length > most || text.length > 2 * most + 2
  const start = isCut ? characters.slice(0, most).join('') : text
  const visible = start
    .replace(/\p{Cs}/gu, '\uFFFD')
    .replace(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu,
      (one) => `‹U+${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}›`,
    )
  return isCut ? `${visible}… (${text.length.toLocaleString('en-US')} characters)` : visible
}
