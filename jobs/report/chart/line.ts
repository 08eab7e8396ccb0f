import { Markup, markup } from '../html/markup.ts'
import { frame, hatching, left, right, top, width, yAxis, type FrameText } from './frame.ts'
import { at, ticks } from './scale.ts'

const height = 176
const bottom = 154

export interface Mark {
  readonly step: number
  readonly label: string
  readonly isUnknown: boolean
}

/**
 * A line over equal steps, with the ground below it filled. `marks`: names of the steps that they begin at, and
 * whether nothing is known from there to the next: then it is hatched. Pure. */
export function lineChart(
  text: FrameText,
  values: readonly number[],
  marks: readonly Mark[],
  unit: string,
): Markup {
  const scale = ticks(values.reduce((most, value) => Math.max(most, value), 0))
  const step = (width - left - right) / Math.max(1, values.length)
  const points = values.map((value, index): string => {
    const y = bottom - ((bottom - top) * value) / scale.at(-1)!
    return `${at(left + (index + 0.5) * step)} ${at(y)}`
  })
  const labels = marks.map(({ step: index, label }) => {
    const x = at(left + index * step)
    return markup`<line class="axis" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}"/><text x="${x + 2}" y="${bottom + 13}">${label}</text>`
  })
  const unknown = marks.flatMap(({ step: index, isUnknown }, mark) => {
    if (!isUnknown) return []
    const [x, end] = [at(left + index * step), at(left + (marks[mark + 1]?.step ?? values.length) * step)]
    return [
      markup`<rect x="${x}" y="${top}" width="${at(end - x)}" height="${bottom - top}" fill="url(#${text.id}-hatch)"/>`,
    ]
  })
  const [first, last] = [at(left + step / 2), at(left + (values.length - 0.5) * step)]
  const line = `M${points.join('L')}`
  const drawn =
    points.length === 0
      ? undefined
      : markup`${path('area', `${line}L${last} ${bottom}L${first} ${bottom}Z`)}${path('line', line)}`
  return frame(
    text,
    height,
    markup`${hatching(text.id)}${yAxis(scale, bottom, unit)}${labels}${drawn}${unknown}`,
  )
}

/** Numbers alone, however many: no text of data. */
const path = (name: string, d: string): Markup => markup`<path class="${name}" d="${new Markup(d)}"/>`
