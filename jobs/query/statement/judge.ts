import { usageError } from '../../errors.ts'
import { allowedFunctions, allowedTableFunctions } from './functions.ts'
import { childrenOf, isNode, textOf, type Node, type Parsed } from './tree.ts'

/** A table that a statement names, as it names it: up to three parts. */
export interface NamedTable {
  readonly parts: readonly string[]
  readonly node: Node
}

const only = 'lakejobs sql answers one SELECT; for everything else there is duckdb (docs/reading.md)'

const refused = (what: string, fix = only): Error =>
  usageError(`${what} is not allowed`, { field: 'sql', fix })

/** Expressions that compute; others (a parameter, a default, what newer parsers bring) are refused by their names. */
const expressions = new Set([
  'COLUMN_REF',
  'CONSTANT',
  'COMPARISON',
  'CONJUNCTION',
  'OPERATOR',
  'CAST',
  'CASE',
  'FUNCTION',
  'WINDOW',
  'SUBQUERY',
  'BETWEEN',
  'STAR',
  'LAMBDA',
  'LAMBDA_REF',
  'COLLATE',
  'POSITIONAL_REFERENCE',
])

const tableReferences = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'EMPTY',
  'EXPRESSION_LIST',
  'TABLE_FUNCTION',
  'SHOW_REF',
  'PIVOT',
])

const queries = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE'])

/**
 * Whether a text is one SELECT that calls nothing but what is on the lists, at any depth; gives its query and the tables
 * that it names and does not define itself. Errors: `JobError` usage that says what is not allowed.
 */
export function judge(parsed: Parsed): { readonly query: Node; readonly tables: readonly NamedTable[] } {
  if (parsed.error) {
    if (parsed.error_type === 'not implemented') throw refused('this kind of statement')
    throw usageError(`the SQL cannot be parsed: ${parsed.error_message}`, {
      field: 'sql',
      fix: 'correct it; the dialect is DuckDB’s (https://duckdb.org/docs/sql/introduction)',
    })
  }
  const [statement, another] = parsed.statements
  if (statement === undefined)
    throw usageError('there is no statement', {
      field: 'sql',
      fix: 'give one, as in lakejobs sql "select count(*) from web_logs"',
    })
  if (another !== undefined) throw refused('more than one statement')
  const tables: NamedTable[] = []
  walk(statement.node, new Set(), tables)
  return { query: statement.node, tables }
}

/** @param known the names in lower case that queries around this one define */
function walk(node: Node, known: ReadonlySet<string>, tables: NamedTable[]): void {
  const type = textOf(node, 'type')
  if ('class' in node) judgeExpression(node)
  else if (type.endsWith('_NODE')) {
    if (!queries.has(type)) throw refused(`a ${type.replace(/_NODE$/, '')}`)
  } else if ('sample' in node || tableReferences.has(type)) judgeTable(node, known, tables)
  const defined = withCtes(node, known, tables)
  for (const [key, value] of Object.entries(node)) {
    if (key === 'cte_map') continue
    // What stands in FROM is on another list; what it is given is as everywhere.
    if (key === 'function' && type === 'TABLE_FUNCTION' && isNode(value)) {
      for (const child of childrenOf(value['children'])) walk(child, defined, tables)
      continue
    }
    for (const child of isNode(value) ? [value] : Array.isArray(value) ? childrenOf(value) : [])
      walk(child, defined, tables)
  }
}

/** The names that are known within a query: each of its own is known to those behind it, to itself if it is recursive. */
function withCtes(node: Node, known: ReadonlySet<string>, tables: NamedTable[]): ReadonlySet<string> {
  const map = isNode(node['cte_map']) ? childrenOf(node['cte_map']['map']) : []
  let defined = known
  if (textOf(node, 'type') === 'RECURSIVE_CTE_NODE')
    defined = new Set([...defined, textOf(node, 'cte_name').toLowerCase()])
  for (const entry of map) {
    const { value } = entry
    if (isNode(value)) walk(value, defined, tables)
    defined = new Set([...defined, textOf(entry, 'key').toLowerCase()])
  }
  return defined
}

function judgeExpression(node: Node): void {
  const kind = textOf(node, 'class')
  if (kind === 'PARAMETER') throw refused('a parameter', 'write the value itself')
  if (!expressions.has(kind)) throw refused(`an expression of the kind ${kind}`)
  if (kind === 'FUNCTION' || kind === 'WINDOW') judgeFunction(node, allowedFunctions)
}

function judgeFunction(node: Node, allowed: ReadonlySet<string>): void {
  const name = textOf(node, 'function_name')
  const place = [textOf(node, 'catalog'), textOf(node, 'schema')].filter((part) => part !== '')
  // The parser itself names this schema where it puts functions in the place of syntax.
  if (place.join('.') !== '' && place.join('.') !== 'main')
    throw refused(`function ${[...place, name].join('.')}`)
  if (!allowed.has(name.toLowerCase())) throw refused(`function ${name}`)
}

function judgeTable(node: Node, known: ReadonlySet<string>, tables: NamedTable[]): void {
  const type = textOf(node, 'type')
  if (!tableReferences.has(type)) throw refused(`a table of the kind ${type}`)
  if (type === 'SHOW_REF') {
    const show = textOf(node, 'show_type')
    if (!isNode(node['query']) || !['DESCRIBE', 'SUMMARY'].includes(show))
      throw refused('this SHOW', 'ask for one table: describe web_logs; the tables are in lakejobs inspect')
  }
  if (type === 'TABLE_FUNCTION') {
    const call = node['function']
    if (!isNode(call) || textOf(call, 'class') !== 'FUNCTION') throw refused('this table function')
    judgeFunction(call, allowedTableFunctions)
  }
  if (type !== 'BASE_TABLE') return
  if (node['at_clause'] !== null && node['at_clause'] !== undefined)
    throw refused('AT behind a table', 'use --as-of, --snapshot or --branch')
  const parts = ['catalog_name', 'schema_name', 'table_name']
    .map((key) => textOf(node, key))
    .filter((part) => part !== '')
  if (parts.length === 1 && known.has(parts[0]!.toLowerCase())) return
  tables.push({ parts, node })
}
