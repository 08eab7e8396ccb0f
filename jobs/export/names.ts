import { usageError } from '../errors.ts'
import { formatTable, parseTableName, type TableName } from '../postgres/identifiers.ts'
import type { TableIdentifier } from '../iceberg/catalog/catalog.ts'

/** A source table and the table it becomes. */
export interface TablePair {
  readonly source: TableName
  readonly target: TableIdentifier
  /** Its name among the folders of plain Parquet: with the namespace, unless that is the default one. */
  readonly folder: string
}

/**
 * `--table` values as pairs (operations-spec §1.4): `public.x` becomes `<namespace>.x`, `schema.x` stays `schema.x`,
 * `a.b=ns.t` says it. Throws a usage error for what cannot be read and for two sources of one target.
 */
export function tablePairs(tables: readonly string[], namespace: string): TablePair[] {
  const pairs = tables.map((text) => {
    const [source, target] = splitPair(text)
    const table = parseTableName(source)
    const identifier = target === undefined ? defaultTarget(table, namespace) : parseTarget(text, target)
    assertFolders(text, identifier)
    const levels = identifier.namespace.join('.')
    const folder = levels === namespace ? identifier.name : `${levels}.${identifier.name}`
    return { source: table, target: identifier, folder }
  })
  const sources = new Map<string, string>()
  for (const { source, target } of pairs) {
    const name = [...target.namespace, target.name].join('.')
    const other = sources.get(name)
    if (other !== undefined) {
      throw usageError(`${other} and ${formatTable(source)} would both become ${name}`, {
        field: '--table',
        fix: `give one of them another target, for example --table ${formatTable(source)}=${name}_2`,
      })
    }
    sources.set(name, formatTable(source))
  }
  return pairs
}

/** At the last `=` outside of double quotes: a quoted identifier may hold one. */
function splitPair(text: string): [string, string | undefined] {
  const match = /^((?:"(?:[^"]|"")*"|[^"=])+)=([^="]+)$/.exec(text)
  return match?.[1] === undefined ? [text, undefined] : [match[1], match[2]]
}

const defaultTarget = ({ schema, name }: TableName, namespace: string): TableIdentifier => ({
  namespace: schema === 'public' ? namespace.split('.') : [schema],
  name,
})

/** Namespaces and names become folders of the warehouse. */
function assertFolders(text: string, { namespace, name }: TableIdentifier): void {
  const bad = [...namespace, name].find((part) => /[/\\\p{Cc}]/u.test(part) || part === '.' || part === '..')
  if (bad === undefined) return
  throw usageError(`--table ${text}: "${bad}" cannot be the name of a folder in the lake`, {
    field: '--table',
    fix: `give it another name there: --table '${text.split('=')[0] ?? text}=default.some_name'`,
  })
}

function parseTarget(text: string, target: string): TableIdentifier {
  const levels = target.split('.')
  const name = levels.pop()
  if (name === undefined || name === '' || levels.length === 0 || levels.includes('')) {
    throw usageError(`--table ${text}: "${target}" is not a table of the catalog`, {
      field: '--table',
      fix: 'write source=namespace.table, for example public.web_logs=default.web_logs',
    })
  }
  return { namespace: levels, name }
}
