import { markup, type Markup } from '../html/markup.ts'
import { frame, hatching, left, right, top, width, yAxis, type FrameText } from './frame.ts'
import { at, ticks } from './scale.ts'

export interface Bar {
  /** Under it; empty: none. */
  readonly label: string
  readonly title: string
  /** From the ground up. Undefined: nothing is known of it, and it is hatched. */
  readonly parts: readonly { readonly name: string; readonly value: number }[] | undefined
  /** Drawn fainter, to be held against the others. */
  readonly isEarlier: boolean
}

const height = 176
const bottom = 154

/** Bars of stacked parts beside one another. Pure. */
export function stackedBars(text: FrameText, bars: readonly Bar[], unit: string): Markup {
  const sumOf = ({ parts = [] }: Bar): number => parts.reduce((sum, { value }) => sum + value, 0)
  const values = ticks(Math.max(0, ...bars.map(sumOf)))
  const most = values.at(-1)!
  const step = (width - left - right) / bars.length
  const gap = Math.min(4, step / 4)
  const drawn = bars.map((bar, index) => {
    const x = at(left + index * step + gap / 2)
    const wide = at(step - gap)
    const label = markup`<text x="${at(x + wide / 2)}" y="${bottom + 13}" text-anchor="middle">${bar.label}</text>`
    if (bar.parts === undefined)
      return markup`<g><title>${bar.title}</title><rect x="${x}" y="${top}" width="${wide}" height="${bottom - top}" fill="url(#${text.id}-hatch)"/>${label}</g>`
    let y = bottom
    const parts = bar.parts.map(({ name, value }) => {
      const high = at(((bottom - top) * value) / most)
      y = at(y - high)
      return markup`<rect class="${name}" x="${x}" y="${y}" width="${wide}" height="${high}"/>`
    })
    return markup`<g${bar.isEarlier ? markup` class="earlier"` : undefined}><title>${bar.title}</title>${parts}${label}</g>`
  })
  return frame(text, height, markup`${hatching(text.id)}${yAxis(values, bottom, unit)}${drawn}`)
}
