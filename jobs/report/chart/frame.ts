import { markup, type Markup } from '../html/markup.ts'
import { at, shortNumber } from './scale.ts'

/** The size of every chart, in units of its own: about pixels on a phone. */
export const width = 360
export const left = 38
export const right = 6
export const top = 14

export interface FrameText {
  /** Unique in the page: a name for its title. */
  readonly id: string
  readonly title: string
  /** What it shows, for whoever does not see it. */
  readonly desc: string
}

/** A drawing with its name and description. */
export const frame = ({ id, title, desc }: FrameText, height: number, body: Markup): Markup =>
  markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title}</title><desc id="${id}-d">${desc}</desc>${body}</svg>`

/** What is unknown is filled with `url(#<id>-hatch)`. */
export const hatching = (id: string): Markup =>
  markup`<defs><pattern id="${id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" x2="0" y1="0" y2="6"/></pattern></defs>`

/** Lines and numbers of a vertical axis from `bottom` up to `top`, and its unit above it. */
export function yAxis(values: readonly number[], bottom: number, unit: string): Markup {
  const most = values.at(-1)!
  const lines = values.map((value) => {
    const y = at(bottom - ((bottom - top) * value) / most)
    return markup`<line class="axis" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${left - 4}" y="${y + 3}" text-anchor="end">${shortNumber(value)}</text>`
  })
  return markup`${lines}<text x="${left}" y="${top - 5}">${unit}</text>`
}

/** A chart under its caption, with its numbers folded behind it. */
export const figure = (
  caption: string,
  note: string,
  chart: Markup,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): Markup => markup`<figure><figcaption>${caption} <span>${note}</span></figcaption>${chart}<details><summary>The numbers</summary><div class="scroll" role="region" tabindex="0" aria-label="${caption}: the numbers"><table><thead><tr>${head.map((name, column) => (column === 0 ? markup`<th>${name}</th>` : markup`<th class="n">${name}</th>`))}</tr></thead><tbody>
${rows.map((row) => markup`<tr>${row.map((value, column) => (column === 0 ? markup`<td>${value}</td>` : markup`<td class="n">${value}</td>`))}</tr>`)}</tbody></table></div></details></figure>`
