import { markup, shown, type Markup } from '../html/markup.ts'
import { frame, right, width, type FrameText } from './frame.ts'
import { at, shortNumber, ticks } from './scale.ts'

export interface Range {
  readonly name: string
  readonly points: readonly [low: number, mid: number, far: number]
}

const row = 26
const head = 18
const side = 6
const nameLength = 58

/** Three points of each on one horizontal axis, under their names. Pure. */
export function ranges(text: FrameText, all: readonly Range[], unit: string): Markup {
  const values = ticks(Math.max(0, ...all.map(({ points }) => points[2])), 5)
  const bottom = head + all.length * row
  const xOf = (value: number): number => at(side + ((width - side - right - 14) * value) / values.at(-1)!)
  const axis = values.map((value, index) => {
    const x = xOf(value)
    const label = index === values.length - 1 ? `${shortNumber(value)} ${unit}` : shortNumber(value)
    const anchor = index === 0 ? 'start' : index === values.length - 1 ? 'end' : 'middle'
    return markup`<line class="axis" x1="${x}" x2="${x}" y1="${head - 4}" y2="${bottom}"/><text x="${anchor === 'end' ? width - right : x}" y="${head - 8}" text-anchor="${anchor}">${label}</text>`
  })
  const rows = all.map(({ name, points }, index) => {
    const y = head + index * row
    const [low, mid, far] = points.map(xOf)
    const dots = [low, mid, far].map(
      (x, point) =>
        markup`<circle class="dot${['', ' mid', ' far'][point]}" cx="${x}" cy="${y + 19}" r="3.5"/>`,
    )
    return markup`<g><title>${name}: ${points.join(', ')} ${unit}</title><text x="${side}" y="${y + 10}">${shown(name, nameLength)}</text><line class="range" x1="${low}" x2="${far}" y1="${y + 19}" y2="${y + 19}"/>${dots}</g>`
  })
  return frame(text, bottom + 4, markup`${axis}${rows}`)
}
