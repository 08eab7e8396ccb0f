import { usageError, type JobError } from '../../errors.ts'
import { flagText } from '../../postgres/faults.ts'
import { fitsColumn } from '../../postgres/source/columns.ts'
import { flagWord } from '../../postgres/source/mapping.ts'
import { columnCalled } from '../../postgres/source/own-options.ts'
import type { TablePlan } from '../../postgres/source/plan.ts'

/** Of which a table's columns are read, which are left out by `--columns`, and how flags name them. */
export interface ChosenColumns extends Pick<
  TablePlan,
  'table' | 'leftOut' | 'excluded' | 'newColumns' | 'flagTable'
> {
  readonly columns: readonly { readonly name: string; readonly hashed?: true }[]
}

/**
 * Refuses to empty columns unseen: those that the target has and the source too, but that `--columns` leaves out and
 * `--drop-columns` does not name (export-spec §6.2). `place` is the target in words, `has` the names of its columns.
 */
export function assertNoneEmptied(
  place: string,
  has: readonly string[],
  { table, columns, leftOut, excluded, flagTable }: ChosenColumns,
  dropColumns: readonly string[],
): void {
  const dropped = dropColumns.map((text) => columnCalled(text, { table, names: leftOut }))
  const emptied = leftOut.filter((name) => has.includes(name) && !dropped.includes(name))
  if (emptied.length === 0) return
  const flag = (name: string, values: readonly string[]): string =>
    flagText({ flag: name, item: values.map((column) => flagName(flagTable, column)).join(',') })
  const gone = emptied.filter((name) => excluded.includes(name))
  if (gone.length > 0)
    throw usageError(
      `--exclude-columns leaves out ${capped(gone)}, which ${place} has: the values would go`,
      {
        field: '--exclude-columns',
        fix: `if they may go, say ${flag('--drop-columns', [...dropped.filter((name) => name !== undefined), ...emptied])}; snapshots from before keep them until they expire`,
      },
    )
  const all = [...columns.map(({ name }) => name), ...emptied]
  throw usageError(`--columns leaves out ${capped(emptied)}, which ${place} has: the values would go`, {
    field: '--columns',
    fix: `if they may go, say ${flag('--drop-columns', [...leftOut.filter((name) => dropped.includes(name)), ...emptied])}; else ${flag('--columns', all)}`,
  })
}

/** What flags call a column: in a call with several tables with its table before it. */
export const flagName = ({ table, isOneOfSeveral }: ChosenColumns['flagTable'], column: string): string =>
  `${isOneOfSeveral ? `${table}.` : ''}${flagWord(column)}`

/** `--drop-columns` that names what no table of the call leaves out. */
export const notLeftOut = (dropColumns: readonly string[], plans: readonly ChosenColumns[]): JobError[] =>
  dropColumns
    .filter((text) =>
      plans.every(({ table, leftOut }) => columnCalled(text, { table, names: leftOut }) === undefined),
    )
    .map((text) =>
      usageError(`--drop-columns: --columns leaves out no column ${text}`, {
        field: '--drop-columns',
        fix: 'name columns of the source that --columns does not name',
      }),
    )

/** What `--exclude-columns` or `--hash` names, without `*`, and no table has for which it is meant: a misspelt secret would be exported. */
export function notNamed(flag: string, text: string, plans: readonly ChosenColumns[]): JobError[] {
  const isThere = plans.some(({ flagTable, columns, leftOut }) =>
    [...columns.map(({ name }) => name), ...leftOut].some((name) =>
      fitsColumn(flagTable.table, name, [text]),
    ),
  )
  if (text.includes('*') || isThere) return []
  return [
    usageError(`${flag}: there is no column ${text}`, {
      field: flag,
      fix: `name a column of the source; where only some tables may have it, write it with a star, such as ${text}*`,
    }),
  ]
}

/** What is said of a column that has come to the source. */
export const newColumnWarning = (name: string): string =>
  `column ${name} is new at the source and not exported: add it with --new-columns add, or leave it out for good with --exclude-columns`

/** What is said of a column that was filled until now. */
export const unfedWarning = (
  name: string,
  { leftOut, excluded }: Pick<ChosenColumns, 'leftOut' | 'excluded'>,
): string =>
  excluded.includes(name)
    ? `column ${name} is not filled any more: --exclude-columns leaves it out; snapshots from before keep its values until they expire`
    : leftOut.includes(name)
      ? `column ${name} is not filled any more: --columns leaves it out`
      : `column ${name} is not filled any more: the source has none of that name`

const listCap = 20

const capped = (names: readonly string[]): string =>
  names.slice(0, listCap).join(', ') + (names.length > listCap ? ` and ${names.length - listCap} more` : '')
