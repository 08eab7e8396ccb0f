import { markup, type Markup } from '../html/markup.ts'
import { frame, right, width, type FrameText } from './frame.ts'
import { at, shortNumber } from './scale.ts'

export interface Share {
  readonly name: string
  /** Of its colour. */
  readonly colour: string
  readonly value: number
}

const row = 24
const names = 38
const numbers = 92

/** A horizontal bar for each, with its number and its share of all. Pure. */
export function shares(text: FrameText, all: readonly Share[]): Markup {
  const sum = all.reduce((total, { value }) => total + value, 0)
  const most = Math.max(1, ...all.map(({ value }) => value))
  const wide = width - names - numbers - right
  const rows = all.map(({ name, colour, value }, index) => {
    const y = 4 + index * row
    const length = value === 0 ? 0 : Math.max(1.5, (wide * value) / most)
    const percent = sum === 0 ? 0 : (100 * value) / sum
    return markup`<g><text x="${names - 6}" y="${y + 13}" text-anchor="end">${name}</text><rect class="${colour}" x="${names}" y="${y + 2}" width="${at(length)}" height="14" rx="2"/><text x="${at(names + length + 6)}" y="${y + 13}">${shortNumber(value)} · ${percentText(percent)}</text></g>`
  })
  return frame(text, 8 + all.length * row, markup`${rows}`)
}

const percentText = (percent: number): string =>
  percent > 0 && percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`
