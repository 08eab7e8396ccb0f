import stringWidth from 'fast-string-width'
import { cut, cutMiddle, padded } from './layout.ts'

/** A line of a tree. */
export interface Line {
  /** What draws the branches. */
  readonly branch: string
  readonly name: string
  /** Undefined of a folder, which has the line for itself. */
  readonly cells: { readonly bytes: string; readonly snapshot: string } | undefined
  readonly purpose: string
}

const purposeWidth = 40
const between = 3

const widest = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, stringWidth(text)), 0)

/** One below the other, cut to the screen's width. */
export function inColumns(lines: readonly Line[], width: number | undefined): string[] {
  const objects = lines.filter(({ cells }) => cells !== undefined)
  const bytes = widest(objects.map(({ cells }) => cells!.bytes))
  const snapshot = widest(objects.map(({ cells }) => cells!.snapshot))
  const purpose = Math.min(purposeWidth, widest(objects.map((line) => line.purpose)))
  const whole = widest(objects.map(({ branch, name }) => branch + name))
  const room = width === undefined ? whole : width - bytes - snapshot - purpose - 6
  // Whole names, or all of them shortened: a mixture is hard to read.
  const shown = whole <= room ? lines : lines.map(withShortName)
  const left = widest(
    shown.filter(({ cells }) => cells !== undefined).map(({ branch, name }) => branch + name),
  )
  return shown.map(({ branch, name, cells, purpose: what }) => {
    if (cells === undefined) return cut(`${branch}${name}${what === '' ? '' : `  ${what}`}`, width)
    const columns = [
      padded(branch + name, left),
      padded(cells.bytes, bytes, true),
      padded(cells.snapshot, snapshot),
      what,
    ]
    return cut(columns.join('  ').trimEnd(), width)
  })
}

/** A name with the first four characters of each UUID and snapshot id in it. */
const shortened = (name: string): string =>
  name
    .replace(/([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '$1…')
    .replace(/(\d{4})\d{12,15}(?=-)/g, '$1…')

const withShortName = (line: Line): Line =>
  line.cells === undefined ? line : { ...line, name: shortened(line.name) }

/**
 * Two trees, each under its title; the first line of each is its folder. Undefined: one has no objects, or the screen has no
 * room for both, its names shortened; a folder is cut before that.
 */
export function besideOneAnother(
  [left = [], right = []]: readonly (readonly Line[])[],
  titles: readonly string[],
  width: number | undefined,
): string[] | undefined {
  if (width === undefined || left.length === 0 || right.length === 0) return undefined
  for (const names of [(line: Line): Line => line, withShortName]) {
    const sides = [left, right].map(([folder, ...lines], at) => {
      const below = inColumns(lines.map(names), undefined)
      const own = Math.max(widest(below), stringWidth(titles[at]!))
      return { own, lines: [titles[at]!, cutMiddle(folder!.name, own), ...below] }
    })
    const [one, other] = [sides[0]!, sides[1]!]
    if (one.own + between + other.own > width) continue
    const rows = Math.max(one.lines.length, other.lines.length)
    return Array.from({ length: rows }, (_, row) =>
      `${padded(one.lines[row] ?? '', one.own + between)}${other.lines[row] ?? ''}`.trimEnd(),
    )
  }
  return undefined
}
