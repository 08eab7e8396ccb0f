import type { Day } from '../calendar.ts'
import type { TableIdentifier } from '../iceberg/catalog/catalog.ts'

/**
 * Where the plain Parquet files of a table lie (export-spec §2.5): all rows in one, and one for each day, in folders beside
 * each other, so that no glob counts a row twice. `folder`: that of all tables' files, a location; `table`: its name there.
 */
export const wholeFile = (folder: string, table: string): string => `${folder}/${table}/${table}.parquet`

/** A table's name there: with its namespace, unless that is the default one. */
export function plainName({ namespace, name }: TableIdentifier, defaultNamespace: string): string {
  const levels = namespace.join('.')
  return levels === defaultNamespace ? name : `${levels}.${name}`
}

export const daysFolder = (folder: string, table: string): string => `${folder}/${table}_by_day`

export const dayFile = (folder: string, table: string, column: string, day: Day): string =>
  `${daysFolder(folder, table)}/${column}_day=${day}/${table}.parquet`

/** What the path of a day's file within `daysFolder` says; undefined for other files. */
export function parseDayFile(path: string): { readonly column: string; readonly day: Day } | undefined {
  const match = /^([^/]+)_day=(\d{4}-\d{2}-\d{2})\/[^/]+\.parquet$/.exec(path)
  return match === null ? undefined : { column: match[1]!, day: match[2]! }
}
