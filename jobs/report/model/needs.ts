import { dayOf, rangesOf, type Day } from '../../calendar.ts'
import { shellWord } from '../../errors.ts'
import { writeAgain } from '../../provenance/source.ts'
import type { LakeTable, UnreadTable } from '../gather/tables.ts'
import { wrongRowsText } from './wrong-rows.ts'
import type { Run } from '../../summary.ts'
import type { CrudReport, Need } from '../schema.ts'
import { isUnread } from './table-row.ts'

/** More rows would not be read. */
export const mostNeeds = 5

export interface Troubles {
  readonly tables: readonly (LakeTable | UnreadTable)[]
  /** Oldest first. */
  readonly runs: readonly Run[]
  readonly crud: CrudReport | undefined
}

/** What somebody should do, the worst first. Pure. */
export const needsOf = ({ tables, runs, crud }: Troubles): Need[] => [
  ...tables.flatMap((table) => (isUnread(table) ? [unread(table)] : [])),
  ...tables.flatMap((table) => (isUnread(table) ? [] : [wrong(table)].flat())),
  ...failedRuns(runs),
  ...tables.flatMap((table) => (isUnread(table) ? [] : [failed(table)].flat())),
  ...tables.flatMap((table) => (isUnread(table) ? [] : [late(table)].flat())),
  ...unpublished(crud),
]

const unread = ({ name, error, fix }: UnreadTable): Need => ({
  table: name,
  what: `cannot be read: ${error}`,
  ...mending(fix),
})

/** A command, or words. */
const mending = (text: string | undefined): Pick<Need, 'command' | 'fix'> => {
  const [, command] = /^(?:export it again: )?((?:lakejobs|CALL) .*)$/.exec(text ?? '') ?? []
  return command !== undefined ? { command } : text === undefined ? {} : { fix: text }
}

const logAt = (log: string | undefined): Pick<Need, 'log'> => (log === undefined ? {} : { log })

/** Rows that are lost, or were found to be others than those that were written. */
function wrong({ name, looked, events, wrong: rows }: LakeTable): Need[] {
  const lost = looked.verdicts
    .filter(({ level }) => level === 'wrong')
    .map(({ what, commands: [command] }): Need => ({ table: name, what, ...mending(command) }))
  if (rows !== undefined) {
    const { since, fix, log } = rows
    const what = `WRONG: ${wrongRowsText(rows)}`
    return [{ table: name, what, since, ...mending(fix), ...logAt(log) }, ...lost]
  }
  const check = events.filter(({ kind }) => kind === 'verified').at(-1)
  if (check === undefined || (check.wrong.length === 0 && check.error === undefined)) return lost
  return [
    ...lost,
    {
      table: name,
      what: `could not be proven to be what was written: ${check.error ?? check.wrong.join(', ')}`,
      since: new Date(check.ms).toISOString(),
      ...mending(check.fix ?? `lakejobs verify --table ${shellWord(name)} --deep`),
      ...logAt(check.log),
    },
  ]
}

/** A job whose last run ended before it came to any table. */
function failedRuns(runs: readonly Run[]): Need[] {
  const newest = new Map(runs.map((run) => [run.job, run]))
  return [...newest.values()]
    .filter(({ status, tables = [] }) => status === 'failed' && tables.length === 0)
    .map(({ job, startedAt, error, airflow }) => ({
      table: `lakejobs ${job}`,
      what: error?.message ?? 'failed',
      since: startedAt,
      ...mending(error?.fix),
      ...logAt(airflow?.log),
    }))
}

function failed({ name, events }: LakeTable): Need[] {
  const writes = events.filter(({ kind }) => kind !== 'verified')
  const last = writes.at(-1)
  if (last?.kind !== 'failed') return []
  const since = writes.slice(writes.findLastIndex(({ kind }) => kind !== 'failed') + 1)[0]!
  return [
    {
      table: name,
      what: `its export failed: ${last.error ?? 'its log says why'}`,
      since: new Date(since.ms).toISOString(),
      ...mending(last.fix),
      ...logAt(last.log),
    },
  ]
}

function late({ name, freshness, events }: LakeTable): Need[] {
  const { isLate, missing, source, exportedMs } = freshness
  if (!isLate || events.filter(({ kind }) => kind !== 'verified').at(-1)?.kind === 'failed') return []
  const exporting =
    source === undefined ? `lakejobs export --table ${shellWord(name)}` : writeAgain(name, source)
  const [first] = missing
  if (first === undefined)
    return [
      {
        table: name,
        what: exportedMs === undefined ? 'was never exported' : 'was not exported since',
        ...(exportedMs !== undefined && { since: dayOf(new Date(exportedMs)) }),
        command: exporting,
      },
    ]
  return [
    {
      table: name,
      what: `${missing.length === 1 ? 'a day is' : `${missing.length} days are`} missing: ${rangesText(missing)}`,
      since: first,
      command: `${exporting} --from ${first} --to ${missing.at(-1)!}`,
    },
  ]
}

const mostRanges = 3

function rangesText(days: readonly Day[]): string {
  const ranges = rangesOf(days).map(({ from, to }) => (from === to ? from : `${from} to ${to}`))
  return `${ranges.slice(0, mostRanges).join(', ')}${ranges.length > mostRanges ? ' …' : ''}`
}

const unpublished = (crud: CrudReport | undefined): Need[] =>
  crud === undefined || crud.published
    ? []
    : [
        {
          table: 'weekly CRUD counts',
          what: `the week up to ${crud.to} is not published`,
          since: crud.to,
          command: `lakejobs aggregate ${crud.to}`,
        },
      ]
