import {
  alwaysTrue,
  and,
  atLeast,
  atMost,
  equalTo,
  greaterThan,
  isIn,
  isNull,
  lessThan,
  not,
  or,
  startsWith,
  type Predicate,
} from '../../iceberg/expression/predicate.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import { asPrimitive, type PrimitiveType, type Value } from '../../iceberg/schema/types.ts'
import { constantOf, dayRange } from './constants.ts'
import { childrenOf, isNode, textOf, type Node } from './tree.ts'

/** A predicate that holds wherever a condition does. `exact`: also the other way round, so that it may be negated. */
interface Implied {
  readonly predicate: Predicate<string>
  readonly exact: boolean
}

const unknown: Implied = { predicate: alwaysTrue, exact: false }

/**
 * What the rows of a table must fulfil to be seen by a query, as far as that can be told: the conditions of the WHERE
 * around each place where it stands, any of them. It decides which files are read; the engine applies the conditions
 * themselves. `nodes`: where the table stands in the query's tree.
 */
export function wantedRows(query: Node, nodes: readonly Node[], schema: Schema): Predicate<string> {
  const conditions = nodes.map((node) => conditionOn(query, node, schema))
  return conditions.includes(alwaysTrue) ? alwaysTrue : or(...conditions)
}

function conditionOn(query: Node, table: Node, schema: Schema): Predicate<string> {
  const select = selectAround(query, table)
  if (select === undefined || !isNode(select['where_clause'])) return alwaysTrue
  const { sources } = select
  if (lengthOf(table['column_name_alias']) > 0) return alwaysTrue
  // Of several tables only a qualified column is surely this one's.
  const alias = textOf(table, 'alias') || textOf(table, 'table_name')
  const columnOf = (node: Node): string | undefined => {
    const names = node['column_names']
    if (textOf(node, 'class') !== 'COLUMN_REF' || !Array.isArray(names)) return undefined
    const [name = '', qualifier, more] = (names as string[]).toReversed()
    if (more !== undefined) return undefined
    if (qualifier === undefined ? sources > 1 : qualifier.toLowerCase() !== alias.toLowerCase())
      return undefined
    return schema.fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.name
  }
  return implied(select['where_clause'], { columnOf, schema }).predicate
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0)

interface Select extends Node {
  /** How many tables its FROM has. */
  readonly sources: number
}

/** The SELECT whose WHERE decides over each row of a table: it stands in FROM alone, or joined with all that is there. */
function selectAround(node: Node, table: Node): Select | undefined {
  if (textOf(node, 'type') === 'SELECT_NODE' && isNode(node['from_table'])) {
    const sources = sourcesOf(node['from_table'])
    if (sources?.includes(table) === true)
      return table['sample'] === null && node['sample'] === null
        ? { ...node, sources: sources.length }
        : undefined
  }
  for (const child of childrenOf(node)) {
    const found = selectAround(child, table)
    if (found !== undefined) return found
  }
  return undefined
}

/** What is joined such that a row that WHERE does not want changes nothing else; undefined for other joins. */
function sourcesOf(from: Node): Node[] | undefined {
  if (textOf(from, 'type') !== 'JOIN') return [from]
  const isInner = textOf(from, 'join_type') === 'INNER'
  if (!isInner || !['REGULAR', 'CROSS', 'NATURAL'].includes(textOf(from, 'ref_type'))) return undefined
  const [left, right] = [from['left'], from['right']].map((side) =>
    isNode(side) ? sourcesOf(side) : undefined,
  )
  return left && right && [...left, ...right]
}

interface Scope {
  readonly columnOf: (node: Node) => string | undefined
  readonly schema: Schema
}

function implied(node: Node, scope: Scope): Implied {
  const children = childrenOf(node['children'])
  switch (textOf(node, 'type')) {
    case 'CONJUNCTION_AND':
    case 'CONJUNCTION_OR': {
      const parts = children.map((child) => implied(child, scope))
      const join = textOf(node, 'type') === 'CONJUNCTION_AND' ? and : or
      return {
        predicate: join(...parts.map(({ predicate }) => predicate)),
        exact: parts.every(({ exact }) => exact),
      }
    }
    case 'OPERATOR_NOT': {
      const { predicate, exact } = implied(children[0]!, scope)
      return exact ? { predicate: not(predicate), exact } : unknown
    }
    case 'OPERATOR_IS_NULL':
    case 'OPERATOR_IS_NOT_NULL': {
      const column = scope.columnOf(children[0]!)
      if (column === undefined || typeOf(scope, column) === undefined) return unknown
      const predicate = isNull(column)
      return exactly(textOf(node, 'type') === 'OPERATOR_IS_NULL' ? predicate : not(predicate))
    }
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN':
      return ofIn(node, children, scope)
    case 'COMPARE_BETWEEN':
      return ofBetween(node, scope)
    case 'FUNCTION':
      return ofFunction(node, children, scope)
    default:
      return textOf(node, 'class') === 'COMPARISON' ? ofComparison(node, scope) : unknown
  }
}

const exactly = (predicate: Predicate<string>): Implied => ({ predicate, exact: true })

const typeOf = ({ schema }: Scope, column: string): PrimitiveType | undefined =>
  asPrimitive(schema.fields.find(({ name }) => name === column)!.type)

type Comparison = 'less' | 'at most' | 'equal' | 'at least' | 'greater' | 'not equal'

const comparisons: Readonly<Record<string, Comparison>> = {
  COMPARE_LESSTHAN: 'less',
  COMPARE_LESSTHANOREQUALTO: 'at most',
  COMPARE_EQUAL: 'equal',
  COMPARE_GREATERTHANOREQUALTO: 'at least',
  COMPARE_GREATERTHAN: 'greater',
  COMPARE_NOTEQUAL: 'not equal',
}

const turned: Readonly<Record<Comparison, Comparison>> = {
  less: 'greater',
  'at most': 'at least',
  equal: 'equal',
  'at least': 'at most',
  greater: 'less',
  'not equal': 'not equal',
}

function ofComparison(node: Node, scope: Scope): Implied {
  const comparison = comparisons[textOf(node, 'type')]
  const { left, right } = node
  if (comparison === undefined || !isNode(left) || !isNode(right)) return unknown
  return (
    compared(left, comparison, right, scope) ?? compared(right, turned[comparison], left, scope) ?? unknown
  )
}

function compared(left: Node, comparison: Comparison, right: Node, scope: Scope): Implied | undefined {
  const column = scope.columnOf(left)
  if (column !== undefined) {
    const type = typeOf(scope, column)
    const value = type && constantOf(right, type)
    return value === undefined ? undefined : exactly(comparing(column, comparison, value))
  }
  return ofDay(left, comparison, right, scope)
}

function comparing(column: string, comparison: Comparison, value: Value): Predicate<string> {
  switch (comparison) {
    case 'less':
      return lessThan(column, value)
    case 'at most':
      return atMost(column, value)
    case 'equal':
      return equalTo(column, value)
    case 'at least':
      return atLeast(column, value)
    case 'greater':
      return greaterThan(column, value)
    case 'not equal':
      return not(equalTo(column, value))
  }
}

/** `ts::date`, compared with a day, in UTC, which is the session's zone. */
function ofDay(left: Node, comparison: Comparison, right: Node, scope: Scope): Implied | undefined {
  const { child, cast_type: type } = left
  if (textOf(left, 'class') !== 'CAST' || !isNode(child) || !isNode(type) || textOf(type, 'id') !== 'DATE')
    return undefined
  const column = scope.columnOf(child)
  const kind = column && typeOf(scope, column)?.kind
  if (column === undefined || (kind !== 'timestamp' && kind !== 'timestamptz')) return undefined
  const day = constantOf(right, { kind: 'date' })
  if (typeof day !== 'number') return undefined
  const { start, next } = dayRange(day)
  switch (comparison) {
    case 'less':
      return exactly(lessThan(column, start))
    case 'at most':
      return exactly(lessThan(column, next))
    case 'at least':
      return exactly(atLeast(column, start))
    case 'greater':
      return exactly(atLeast(column, next))
    case 'equal':
      return exactly(and(atLeast(column, start), lessThan(column, next)))
    case 'not equal':
      return exactly(or(lessThan(column, start), atLeast(column, next)))
  }
}

function ofBetween(node: Node, scope: Scope): Implied {
  const { input, lower, upper } = node
  if (!isNode(input) || !isNode(lower) || !isNode(upper)) return unknown
  const parts = [compared(input, 'at least', lower, scope), compared(input, 'at most', upper, scope)]
  return {
    predicate: and(...parts.map((part) => (part ?? unknown).predicate)),
    exact: parts.every((part) => part?.exact === true),
  }
}

function ofIn(node: Node, [subject, ...items]: readonly Node[], scope: Scope): Implied {
  const column = subject && scope.columnOf(subject)
  const type = column === undefined ? undefined : typeOf(scope, column)
  if (column === undefined || type === undefined || items.length === 0) return unknown
  const values = items.map((item) => constantOf(item, type))
  if (values.includes(undefined)) return unknown
  const predicate = isIn(column, values as Value[])
  return exactly(textOf(node, 'type') === 'COMPARE_IN' ? predicate : not(predicate))
}

/** `LIKE 'a%'` and its like. */
function ofFunction(node: Node, [subject, argument]: readonly Node[], scope: Scope): Implied {
  const column = subject && scope.columnOf(subject)
  if (column === undefined || argument === undefined || typeOf(scope, column)?.kind !== 'string')
    return unknown
  const text = constantOf(argument, { kind: 'string' })
  if (typeof text !== 'string') return unknown
  const name = textOf(node, 'function_name').toLowerCase()
  if (name === 'starts_with' || name === 'prefix' || name === '^@') return exactly(startsWith(column, text))
  if (name !== '~~') return unknown
  const prefix = /^[^%_\\]*/.exec(text)![0]
  if (prefix === text) return exactly(equalTo(column, text))
  return prefix === '' ? unknown : { predicate: startsWith(column, prefix), exact: text === `${prefix}%` }
}
