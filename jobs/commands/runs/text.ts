import { aligned, cut, painted, plain, type Screen } from '../../inspect/text/layout.ts'
import { numberText, timeText } from '../../inspect/text/words.ts'
import { wrongRowsText, type WrongRows } from '../../report/model/wrong-rows.ts'
import type { Run } from '../../summary.ts'

/** Runs, a line each: when (UTC), job, how long, what came of it; of a failure what it was about and what to do. */
export function runsText(runs: readonly Run[], screen: Screen): string {
  const rows = [['began (UTC)', 'job', 's', '', 'rows', ''], ...runs.map(row)]
  return aligned(rows, [false, false, true, false, true])
    .slice(0, runs.length === 0 ? 0 : undefined)
    .map((line) => cut(line, screen.width))
    .map(
      (line, index) =>
        `${index === 0 ? painted(line, 'dim', screen) : coloured(runs[index - 1]!, line, screen)}\n`,
    )
    .join('')
}

/** What the last verify of a table found wrong, and what mends it: whole, whatever the screen. */
export const wrongText = (all: readonly WrongRows[], screen: Screen): string =>
  all
    .map((rows) => {
      const line = `WRONG since ${timeText(rows.since)}: ${rows.table}: ${wrongRowsText(rows)}: ${rows.fix}`
      return `${painted(plain(line), 'red', screen)}\n`
    })
    .join('')

const row = (run: Run): string[] => [
  timeText(run.startedAt),
  run.job,
  run.seconds.toFixed(1),
  run.status === 'failed' ? `failed (${run.exit})` : run.status,
  run.rows === undefined ? '' : numberText(run.rows),
  plain(whatOf(run)),
]

function whatOf({ from, to, tables = [], tablesMore = 0, error, airflow }: Run): string {
  const days = from === undefined ? [] : [from === to ? from : `${from} to ${to ?? ''}`]
  const [first] = tables
  const more = tables.length - 1 + tablesMore
  const named = first === undefined ? [] : [more === 0 ? first.table : `${first.table} and ${more} more`]
  const failed =
    error === undefined ? [] : [error.fix === undefined ? error.message : `${error.message}: ${error.fix}`]
  const task =
    airflow && error ? [`Airflow ${airflow.log ?? `${airflow.dag}.${airflow.task} ${airflow.run}`}`] : []
  return [...days, ...named, ...failed, ...task].join('; ')
}

const coloured = ({ status }: Run, line: string, screen: Screen): string =>
  status === 'failed' ? painted(line, 'red', screen) : line
