import type { Report } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { bytesText, numberText, timeText } from './words.ts'

/** What the lake takes, and what could be freed. */
export function lakeSection({ lake }: Report): Markup | undefined {
  if (lake === undefined) return undefined
  const { live, kept, freeable, commands, price, costPerMonth, maintainedAt } = lake
  const fact = (name: string, value: string, note: Markup | string): Markup =>
    markup`<div>
      <dt>${name}</dt>
      <dd>${value}<small>${note}</small></dd>
    </div>`
  return markup`<section aria-labelledby="lake">
    <h2 id="lake">Lake</h2>
    <dl class="facts">
      ${fact('Live', bytesText(live.bytes), `${numberText(live.files)} files, ${numberText(lake.rows)} rows`)}
      ${fact('Kept for history', bytesText(kept.bytes), `${numberText(kept.files)} files of older snapshots`)}
      ${fact('Freeable', bytesText(freeable.bytes), commands.length === 0 ? 'nothing to do' : markup`${commands.map((one) => markup`<code>${one}</code> `)}`)}
      ${costPerMonth === undefined || price === undefined ? undefined : fact('A month', costText(costPerMonth), `${bytesText(lake.bytes)} at ${String(price)} a GB`)}
      ${fact('Last maintenance', maintainedAt === undefined ? '–' : maintainedAt.slice(0, 10), maintainedAt === undefined ? 'none is known' : timeText(maintainedAt))}
    </dl>
  </section>`
}

const costText = (cost: number): string => (cost > 0 && cost < 0.005 ? '< 0.01' : cost.toFixed(2))
