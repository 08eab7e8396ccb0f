import stringWidth from 'fast-string-width'

/** A screen that text is laid out for. */
export interface Screen {
  /** Columns; undefined: whatever a line takes. */
  readonly width: number | undefined
  readonly colours: boolean
}

/** Controls, and what turns the direction of text, as names of others may hold them: shown, never sent to a terminal. */
export const plain = (text: string): string =>
  text.replace(
    /[\p{Cc}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )

/** The text in at most `width` columns, its end cut off. */
export function cut(text: string, width: number | undefined): string {
  if (width === undefined || stringWidth(text) <= width) return text
  let end = ''
  for (const char of text) {
    if (stringWidth(end + char) > width - 1) break
    end += char
  }
  return `${end}…`
}

/** The text in at most `width` columns, its middle cut out: of a path both ends tell more. */
export function cutMiddle(text: string, width: number | undefined): string {
  if (width === undefined || stringWidth(text) <= width) return text
  const chars = Array.from(text)
  const half = Math.max(1, Math.floor((width - 1) / 2))
  const [left, right] = [chars.slice(0, width - 1 - half), chars.slice(-half)]
  return cut(`${left.join('')}…${right.join('')}`, width)
}

export const padded = (text: string, width: number, toRight = false): string => {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)))
  return toRight ? space + text : text + space
}

/** Rows of cells as aligned lines; a column whose `right` is true is a column of numbers. The last one is as long as it is. */
export function aligned(rows: readonly (readonly string[])[], right: readonly boolean[] = []): string[] {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((text, column) => {
      widths[column] = Math.max(widths[column] ?? 0, stringWidth(text))
    })
  return rows.map((row) =>
    row
      .map((text, column) => padded(text, widths[column]!, right[column]))
      .join('  ')
      .trimEnd(),
  )
}

const labelWidth = 12

/** Lines under a label, which stands before the first. */
export const labelled = (label: string, lines: readonly string[]): string[] =>
  lines.map((line, index) => `${padded(index === 0 ? label : '', labelWidth)}${line}`)

/** Words broken into lines of at most `width` columns, those after the first indented. */
export function wrapped(text: string, width: number | undefined, indent = 0): string[] {
  if (width === undefined) return [text]
  const lines: string[] = []
  let line = ''
  for (const one of text.split(' ')) {
    const joined = line === '' ? one : `${line} ${one}`
    if (line.trim() !== '' && stringWidth(joined) > width) {
      lines.push(line)
      line = ' '.repeat(indent) + one
    } else line = joined
  }
  return [...lines, line]
}

/** Columns that are left behind a label. */
export const besideLabel = (width: number | undefined): number | undefined =>
  width === undefined ? undefined : Math.max(20, width - labelWidth)

const codes = { bold: '1', dim: '2', yellow: '33', green: '32', red: '31' } as const

export const painted = (text: string, colour: keyof typeof codes, { colours }: Screen): string =>
  colours ? `\u{1b}[${codes[colour]}m${text}\u{1b}[0m` : text
