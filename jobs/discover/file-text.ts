import { formatTable, quoteIdentifier } from '../postgres/identifiers.ts'
import { sizeText, tableEntry } from './entry.ts'
import type { TableFacts } from './facts.ts'

/** Of whom the file is. */
export interface Origin {
  /** `lakejobs.yaml`'s name of it; '' is that of `POSTGRES_*`. */
  readonly source: string
  /** Prefix of its environment names. */
  readonly prefix: string
  /** Where `lakejobs.yaml` says it, in the place of the environment. */
  readonly database: string | undefined
  /** As messages name it. */
  readonly address: string
}

/** What a connection brings in a second, for an idea of how long a first export takes. */
const bytesPerSecond = 50_000_000

/** A `lakejobs.yaml` for these tables, which exports them as it is; what somebody should look at is said beside them. */
export function fileText(
  { source, prefix, database, address }: Origin,
  tables: readonly TableFacts[],
): string {
  const bytes = tables.reduce((sum, table) => sum + (table.kind === 'table' ? table.bytes : 0), 0)
  const at = source === '' ? '' : `${source}/`
  const schemas = [...new Set(tables.map(({ table }) => table.schema))]
  const lines = [
    '# yaml-language-server: $schema=docs/lakejobs.schema.json',
    `# From ${oneLine(address)}, by lakejobs discover: a start, to be looked through. Sizes are the planner's estimates.`,
    `# ${tables.length} tables and views. An export of all tables reads about ${sizeText(bytes)}: ${Math.ceil(bytes / bytesPerSecond)} s at 50 MB/s.`,
    'version: 1',
    ...(source === ''
      ? []
      : [
          'sources:',
          `  ${yaml(source, true)}: ${yaml({ env: prefix, ...(database !== undefined && { database }) })}`,
        ]),
    'defaults:',
    '  # What comes to the source later is not exported until somebody says so: add and export would.',
    '  new-columns: warn',
    '  new-tables: warn',
    ...(tables.length === 0 ? [] : ['tables:']),
    ...schemas.map(
      (schema) => `  ${yaml(`${at}${schemaName(schema)}.*`, true)}: {} # only tells of tables that are new`,
    ),
    ...tables.flatMap((facts) => {
      const { options, notes } = tableEntry(facts)
      const key = yaml(`${at}${formatTable(facts.table)}`, true)
      const fields = Object.entries(options).map(([name, value]) => `    ${name}: ${yaml(value)}`)
      return [
        '',
        ...notes.map((note) => `  # ${oneLine(note)}`),
        ...(fields.length === 0 ? [`  ${key}: {}`] : [`  ${key}:`, ...fields]),
      ]
    }),
  ]
  return `${lines.join('\n')}\n`
}

const schemaName = (schema: string): string =>
  /^[a-z_][a-z0-9_$]*$/.test(schema) ? schema : quoteIdentifier(schema)

/** A name of the database may have any character: nothing of it leaves a comment. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')

/** In YAML's flow style. In values a `${` of their own is `$${`; keys have no variables of the file's. */
function yaml(value: unknown, isKey = false): string {
  if (Array.isArray(value)) return `[${value.map((one) => yaml(one)).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${yaml(name, true)}: ${yaml(one)}`)
      .join(', ')} }`
  const text = String(value)
  const isPlain = /^[A-Za-z_][\w./-]*$/.test(text) && !/^(null|~|true|false|y|n|yes|no|on|off)$/i.test(text)
  return isPlain || typeof value === 'boolean'
    ? text
    : JSON.stringify(isKey ? text : text.replaceAll('${', () => '$${'))
}
