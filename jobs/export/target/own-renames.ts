import { usageError, type JobError } from '../../errors.ts'
import type { TableName } from '../../postgres/identifiers.ts'
import { columnCalled } from '../../postgres/source/own-options.ts'

type Renames = Readonly<Record<string, string>>

/** `--rename` items of a call with these tables that are about this one: old name → new name. */
export function renamesOf(renames: Renames, table: TableName): Record<string, string> {
  return Object.fromEntries(
    Object.entries(renames).map(([from, to]) => [
      columnCalled(from, { table, names: [lastPart(from)] }) ?? from,
      to,
    ]),
  )
}

/** `table.old` names the column `old`. */
const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

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
    .filter(([, to]) => !plans.some(({ columns }) => columns.some(({ name }) => name === to)))
    .map(([from, to]) =>
      usageError(`--rename ${from}=${to}: no table of this call has a column ${to}`, {
        field: '--rename',
        fix: 'write --rename old=new',
      }),
    )
}
