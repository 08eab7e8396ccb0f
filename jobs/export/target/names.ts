import { shellWord, usageError } from '../../errors.ts'
import { formatTable, parseTableName, type TableName } from '../../postgres/identifiers.ts'
import { plainName } from '../../lake/plain-places.ts'
import { isFolderName } from '../../storage/place.ts'
import type { TableIdentifier } from '../../iceberg/catalog/catalog.ts'

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
    return tablePair(table, identifier, namespace, text)
  })
  assertApart(pairs.map((pair) => ({ pair, shown: formatTable(pair.source) })))
  return pairs
}

/**
 * Errors: usage, for a target that cannot be folders. `shown`: how a message calls the table. `file`: the `lakejobs.yaml` that
 * names it; undefined: a flag does.
 */
export function tablePair(
  source: TableName,
  target: TableIdentifier,
  namespace: string,
  shown: string,
  file?: string,
): TablePair {
  assertFolders(shown, target, file)
  return { source, target, folder: plainName(target, namespace) }
}

/** Errors: usage, for two sources of one target. `shown`: how a message calls each. */
export function assertApart(tables: readonly { readonly pair: TablePair; readonly shown: string }[]): void {
  const sources = new Map<string, string>()
  for (const { pair, shown } of tables) {
    const name = [...pair.target.namespace, pair.target.name].join('.')
    const other = sources.get(name)
    if (other !== undefined) {
      throw usageError(`${other} and ${shown} would both become ${name}`, {
        field: '--table',
        fix: `give one of them another target, for example --table ${shown}=${name}_2`,
      })
    }
    sources.set(name, shown)
  }
  const folders = new Map<string, string>()
  for (const { pair, shown } of tables) {
    const other = folders.get(pair.folder)
    if (other !== undefined)
      throw usageError(`${other} and ${shown} would share the folder ${pair.folder}`, {
        field: '--table',
        fix: `give one of them another target: ${otherTarget(pair)}`,
      })
    folders.set(pair.folder, shown)
  }
}

/** The flag that gives a table another place, for messages. */
export const otherTarget = ({ source, target }: TablePair): string =>
  `--table '${formatTable(source)}=${[...target.namespace, target.name].join('.')}_2'`

/** At the last `=` outside of double quotes: a quoted identifier may hold one. (`""` within one ends it and begins it again.) */
export function splitPair(text: string): [string, string | undefined] {
  const match = /^((?:"[^"]*"|[^"=])+)=([^="]+)$/.exec(text)
  return match?.[1] === undefined ? [text, undefined] : [match[1], match[2]]
}

/** No level of a namespace has a dot: a schema that has some becomes nested namespaces. */
const defaultTarget = ({ schema, name }: TableName, namespace: string): TableIdentifier => ({
  namespace: (schema === 'public' ? namespace : schema).split('.'),
  name,
})

/** Namespaces and names become folders of the warehouse. */
function assertFolders(text: string, { namespace, name }: TableIdentifier, file: string | undefined): void {
  const bad = [...namespace, name].find((part) => !isFolderName(part))
  if (bad === undefined) return
  const message = `"${bad}" cannot be the name of a folder in the lake`
  if (file !== undefined)
    throw usageError(message, {
      field: text,
      fix: `give it another name there: in ${file} under tables '${text.replaceAll("'", "''")}': { target: default.some_name }`,
    })
  throw usageError(`--table ${text}: ${message}`, {
    field: '--table',
    fix: `give it another name there: --table ${shellWord(`${splitPair(text)[0]}=default.some_name`)}`,
  })
}

export function parseTarget(text: string, target: string): TableIdentifier {
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
