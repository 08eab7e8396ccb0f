import { usageError } from '../errors.ts'
import { pg } from './connection/pg.ts'

export interface TableName {
  readonly schema: string
  readonly name: string
}

/** `"Name"`, quotes inside doubled: safe for any name. */
export const quoteIdentifier = (name: string): string => pg.escapeIdentifier(name)

/** A name as it is written, in double quotes or without. */
export const unquoted = (text: string): string =>
  /^"(?:[^"]|"")+"$/s.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text

/** A string constant; any text is safe. */
export const quoteLiteral = (text: string): string => pg.escapeLiteral(text)

export const quoteTable = ({ schema, name }: TableName): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`

/** The name as a person writes it: quoted only where it must be. `parseTableName` reads it back. */
export const formatTable = ({ schema, name }: TableName): string =>
  `${formatName(schema)}.${formatName(name)}`

const formatName = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdentifier(name))

const part = /^(?:"((?:[^"]|"")+)"|([^".\s]+))(?:\.|$)/

/**
 * Reads `table`, `schema.table` or `schema."Mixed.Case"` by SQL's rules: unquoted names are folded to lower
 * case, `""` in a quoted one is a quote. Without a schema it is `public`. Anything else is exit 2.
 */
export function parseTableName(text: string, field = '--table'): TableName {
  const names: string[] = []
  let rest = text
  while (rest !== '') {
    const match = part.exec(rest)
    if (match === null) throw badName(text, field)
    names.push(match[1]?.replaceAll('""', '"') ?? match[2]!.toLowerCase())
    if (match[0] === rest && rest.endsWith('.')) throw badName(text, field)
    rest = rest.slice(match[0].length)
  }
  const [first, second] = names
  if (first === undefined || names.length > 2) throw badName(text, field)
  return second === undefined ? { schema: 'public', name: first } : { schema: first, name: second }
}

const badName = (text: string, field: string): Error =>
  usageError(`"${text}" is not a table name`, {
    field,
    fix: `write schema.table, with double quotes around names that are not plain lower case: 'public."Web Logs"'`,
  })
