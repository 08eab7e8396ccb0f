import { usageError } from '../errors.ts'
import { formatTable, type TableName } from '../postgres/identifiers.ts'

/** The source that `POSTGRES_*` names. */
export const mainSource = ''

/** A table of a source. */
export interface SourceTable extends TableName {
  readonly source: string
}

/** `[source/]schema.table`, with `*` for any letters outside of double quotes. */
export interface TableKey {
  /** As it was written. */
  readonly text: string
  readonly isPattern: boolean
  /** The table, where it is no pattern; a pattern's parts are as they are written. */
  readonly table: SourceTable
  readonly matches: (table: SourceTable) => boolean
}

interface Part {
  readonly text: string
  readonly isPattern: boolean
  readonly matches: (name: string) => boolean
}

const partShape = /^(?:"((?:[^"]|"")+)"|([^".\s]+))(?:\.|$)/
const sourceShape = /^([^"/.\s]+)\/(.+)$/s

/** Reads a table's name or a pattern, by SQL's rules; without a schema it is `public`. Errors: usage, naming `field`. */
export function parseTableKey(text: string, field: string): TableKey {
  const [, sourceText, name = text] = sourceShape.exec(text) ?? []
  const source = sourceText === undefined ? literal(mainSource) : unquoted(sourceText, false)
  const parts: Part[] = []
  for (let rest = name; rest !== '';) {
    const match = partShape.exec(rest)
    if (match === null || (match[0] === rest && rest.endsWith('.'))) throw badKey(text, field)
    parts.push(match[1] === undefined ? unquoted(match[2]!, true) : literal(match[1].replaceAll('""', '"')))
    rest = rest.slice(match[0].length)
  }
  const [first, second, third] = parts
  if (first === undefined || third !== undefined) throw badKey(text, field)
  const [schema, table] = second === undefined ? [literal('public'), first] : [first, second]
  return {
    text,
    isPattern: source.isPattern || schema.isPattern || table.isPattern,
    table: { source: source.text, schema: schema.text, name: table.text },
    matches: (other) =>
      source.matches(other.source) && schema.matches(other.schema) && table.matches(other.name),
  }
}

/** The name as a person writes it; `parseTableKey` reads it back. */
export const printTable = ({ source, ...table }: SourceTable): string =>
  `${source === mainSource ? '' : `${source}/`}${formatTable(table)}`

const literal = (text: string): Part => ({ text, isPattern: false, matches: (name) => name === text })

function unquoted(written: string, folds: boolean): Part {
  const text = folds ? written.toLowerCase() : written
  if (!text.includes('*')) return literal(text)
  const escaped = text.split('*').map((piece) => piece.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  const expression = new RegExp(`^${escaped.join('.*')}$`, 's')
  return { text, isPattern: true, matches: (name) => expression.test(name) }
}

const badKey = (text: string, field: string): Error =>
  usageError(`"${text}" is not a table name`, {
    field,
    fix: `write schema.table or a pattern such as 'shop.*', with double quotes around names that are not plain lower case: 'public."Web Logs"'`,
  })
