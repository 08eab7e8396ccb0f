import { usageError, type JobError } from '../../errors.ts'
import { flagText } from '../../postgres/faults.ts'
import { unquoted, type TableName } from '../../postgres/identifiers.ts'
import { flagWord } from '../../postgres/source/mapping.ts'
import { columnCalled } from '../../postgres/source/own-options.ts'

type Renames = Readonly<Record<string, string>>

/** `--rename` items of a call with these tables that are about this one: old name → new name, both without their quotes. */
export function renamesOf(renames: Renames, table: TableName): Record<string, string> {
  return Object.fromEntries(
    Object.entries(renames).map(([from, to]) => [
      columnCalled(from, { table, names: [lastPart(from)] }) ?? from,
      unquoted(to),
    ]),
  )
}

/** `table.old` names the column `old`, `table."old.er"` the column `old.er`. */
function lastPart(name: string): string {
  const [, quoted] = /(?:^|\.)("(?:[^"]|"")+")$/s.exec(name) ?? []
  return quoted === undefined ? name.slice(name.lastIndexOf('.') + 1) : unquoted(quoted)
}

/**
 * What is to be renamed in one table. With several, a name counts where the source has the new one; with one, whatever
 * does not fit is refused by the table's evolution.
 */
export function ownRenames(
  renames: Renames,
  table: TableName,
  { columns }: { readonly columns: readonly { readonly name: string }[] },
  isOneOfSeveral: boolean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(renamesOf(renames, table)).filter(
      ([, to]) => !isOneOfSeveral || columns.some(({ name }) => name === to),
    ),
  )
}

/** Renames whose new name no table's source has. */
export function unknownRenames(
  renames: Renames,
  plans: readonly { readonly columns: readonly { readonly name: string }[] }[],
): JobError[] {
  return Object.entries(renames)
    .filter(([, to]) => !plans.some(({ columns }) => columns.some(({ name }) => name === unquoted(to))))
    .map(([from, to]) =>
      usageError(`--rename ${from}=${to}: no table of this call has a column ${to}`, {
        field: '--rename',
        fix: 'write --rename old=new',
      }),
    )
}

/** `--rename` of a column by its bare name, to be pasted into a shell. */
export const renameFlag = (from: string, to: string): string =>
  flagText({ flag: '--rename', item: `${flagWord(from)}=${flagWord(to)}` })
