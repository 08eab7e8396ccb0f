import { dataError, type JobError } from '../errors.ts'

/** What the engine says where a query needs a column that cannot be read. */
export const unreadableColumn = (table: string, column: string, type: string): string =>
  `table ${table}: column ${column} has type ${type}, which cannot be read`

/** The failure that the engine's first line tells; undefined: it is another one. */
export function unreadableColumnIn(line: string): JobError | undefined {
  const found = /^Invalid Input Error: (table .*: column (.*) has type .*, which cannot be read)$/.exec(line)
  if (found === null) return undefined
  const [, message = '', field = ''] = found
  return dataError(message, {
    field,
    fix: `leave it out: name the columns that you want, or select * exclude ("${field}"); Spark reads it`,
  })
}
