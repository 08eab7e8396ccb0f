import { listed, usageError, type JobError } from '../../errors.ts'
import { formatTable, quoteIdentifier, type TableName } from '../identifiers.ts'
import type { ColumnOptions } from './columns.ts'

/** A table with the names of its columns. */
export interface NamedColumns {
  readonly table: TableName
  readonly names: readonly string[]
}

/**
 * The column that a flag of a call with several tables means in this one: by its bare name, or as `table.column` with
 * the table written as in `--table`; undefined when it is another table's. Quoted names are taken, too.
 */
export function columnCalled(text: string, { table, names }: NamedColumns): string | undefined {
  const { schema, name } = table
  const called = [formatTable(table), `${schema}.${name}`, quoteIdentifier(name), name]
  const prefixes = ['', ...called.map((one) => `${one}.`)]
  for (const prefix of prefixes) {
    if (!text.startsWith(prefix)) continue
    const rest = text.slice(prefix.length)
    const found = names.find((column) => column === rest || quoteIdentifier(column) === rest)
    if (found !== undefined) return found
  }
  return undefined
}

/** What the call's flags say about this table's columns, under the columns' own names. */
export function ownOptions(options: ColumnOptions, table: NamedColumns): ColumnOptions {
  const { columns, casts, lossyCasts, decimals, ...others } = options
  const own = <T>(values: Readonly<Record<string, T>> | undefined): Record<string, T> =>
    Object.fromEntries(
      Object.entries(values ?? {}).flatMap(([text, value]): [string, T][] => {
        const column = columnCalled(text, table)
        return column === undefined ? [] : [[column, value]]
      }),
    )
  return {
    ...(columns !== undefined && chosen(columns, table)),
    ...others,
    casts: own(casts),
    lossyCasts: own(lossyCasts),
    decimals: own(decimals),
  }
}

/** `--columns` that names other tables' columns only, each with its table, says nothing of this one. */
function chosen(texts: readonly string[], table: NamedColumns): Pick<ColumnOptions, 'columns'> {
  const columns = texts.map((text) => columnCalled(text, table)).filter((name) => name !== undefined)
  const isOthers = texts.length > 0 && columns.length === 0 && texts.every((text) => text.includes('.'))
  return isOthers ? {} : { columns }
}

/** By flag, who gave its value: a value is meant for the tables that have it of the same, without any for all of a call. */
export type Sections = Readonly<Record<string, string>>

/** The section of what is meant for every table that has such a column, and need not be in any. */
export const anywhere = '*'

/** Those of a call's tables that have a flag's value of the same, which one of them has to have. */
export function inSections<Table extends { readonly sections?: Sections | undefined }>(
  tables: readonly Table[],
  flag: string,
): Table[][] {
  const found = new Map<string, Table[]>()
  for (const table of tables) {
    const section = table.sections?.[flag] ?? ''
    if (section === anywhere) continue
    found.set(section, [...(found.get(section) ?? []), table])
  }
  return [...found.values()]
}

/** What is asked of a table, and its columns; undefined where they are not known. */
export interface AskedTable {
  readonly options: ColumnOptions & { readonly dayColumn?: string | undefined }
  readonly columns: NamedColumns | undefined
  readonly sections?: Sections | undefined
}

/** What flags name and none of the tables has for which they are meant: for each table, in their order. */
export function unknownColumns(tables: readonly AskedTable[]): JobError[][] {
  const faults = new Map<AskedTable, JobError[]>(tables.map((table) => [table, []]))
  for (const flag of ['--columns', '--cast', '--lossy-cast', '--decimal', '--day-column']) {
    for (const together of inSections(tables, flag)) {
      const columns = together.flatMap((table) => table.columns ?? [])
      if (columns.length < together.length) continue
      const unknown = unknownIn(flag, namedBy(together[0]!.options)[flag] ?? [], columns)
      for (const table of together) faults.get(table)!.push(...unknown)
    }
  }
  return tables.map((table) => faults.get(table)!)
}

const namedBy = ({
  columns = [],
  casts = {},
  lossyCasts = {},
  decimals = {},
  dayColumn,
}: AskedTable['options']): Readonly<Record<string, readonly string[]>> => ({
  '--columns': columns,
  '--cast': Object.keys(casts),
  '--lossy-cast': Object.keys(lossyCasts),
  '--decimal': Object.keys(decimals),
  '--day-column': dayColumn === undefined ? [] : [dayColumn],
})

function unknownIn(flag: string, texts: readonly string[], tables: readonly NamedColumns[]): JobError[] {
  const [only, ...others] = tables
  return texts
    .filter((text) => tables.every((table) => columnCalled(text, table) === undefined))
    .map((text) =>
      usageError(
        only === undefined || others.length > 0
          ? `${flag}: no table of this call has a column ${text}`
          : `${formatTable(only.table)} has no column ${text} (it has ${listed(only.names)})`,
        { field: flag, fix: `correct ${flag}; names are compared exactly` },
      ),
    )
}
