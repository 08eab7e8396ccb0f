import type { PrimitiveType, Value } from '../schema/types.ts'

/** A column that a predicate is bound to: by its id, so that a rename changes nothing. */
export interface Column {
  readonly id: number
  readonly name: string
  readonly type: PrimitiveType
}

/**
 * A condition on rows, with SQL's logic of three values: a comparison with NULL is unknown, and only rows for which the
 * whole is true match. Numbers have PostgreSQL's order: -0.0 equals 0.0, NaN equals itself and is above all others;
 * strings and bytes go by their (UTF-8) bytes. `C` is how columns are named: `string` before `bind`, `Column` after.
 */
export type Predicate<C = Column> =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Predicate<C>[] }
  | { readonly kind: 'not'; readonly part: Predicate<C> }
  | Condition<C>

/** A predicate about one column. What is missing here is the negation of another one. */
export type Condition<C = Column> =
  | { readonly kind: 'is-null'; readonly column: C }
  | { readonly kind: 'less' | 'greater'; readonly column: C; readonly value: Value }
  | { readonly kind: 'in'; readonly column: C; readonly values: readonly Value[] }
  | { readonly kind: 'starts-with'; readonly column: C; readonly prefix: string }

export const alwaysTrue = { kind: 'true' } as const
export const alwaysFalse = { kind: 'false' } as const

/** True without parts. */
export const and = <C>(...parts: readonly Predicate<C>[]): Predicate<C> =>
  joined('and', parts, alwaysTrue, alwaysFalse)

/** False without parts. */
export const or = <C>(...parts: readonly Predicate<C>[]): Predicate<C> =>
  joined('or', parts, alwaysFalse, alwaysTrue)

/** Without parts that change nothing; a part that decides is the whole: constants remain at the top only. */
function joined<C>(
  kind: 'and' | 'or',
  parts: readonly Predicate<C>[],
  neutral: typeof alwaysTrue | typeof alwaysFalse,
  deciding: typeof alwaysTrue | typeof alwaysFalse,
): Predicate<C> {
  if (parts.some((part) => part.kind === deciding.kind)) return deciding
  const telling = parts.filter((part) => part.kind !== neutral.kind)
  return telling.length > 1 ? { kind, parts: telling } : (telling[0] ?? neutral)
}

export function not<C>(part: Predicate<C>): Predicate<C> {
  if (part.kind === 'true') return alwaysFalse
  if (part.kind === 'false') return alwaysTrue
  return part.kind === 'not' ? part.part : { kind: 'not', part }
}

export const isNull = <C>(column: C): Predicate<C> => ({ kind: 'is-null', column })
export const notNull = <C>(column: C): Predicate<C> => not(isNull(column))
export const lessThan = <C>(column: C, value: Value): Predicate<C> => ({ kind: 'less', column, value })
export const greaterThan = <C>(column: C, value: Value): Predicate<C> => ({ kind: 'greater', column, value })
export const atMost = <C>(column: C, value: Value): Predicate<C> => not(greaterThan(column, value))
export const atLeast = <C>(column: C, value: Value): Predicate<C> => not(lessThan(column, value))
export const isIn = <C>(column: C, values: readonly Value[]): Predicate<C> => ({ kind: 'in', column, values })
export const equalTo = <C>(column: C, value: Value): Predicate<C> => isIn(column, [value])
export const notEqualTo = <C>(column: C, value: Value): Predicate<C> => not(equalTo(column, value))
export const startsWith = <C>(column: C, prefix: string): Predicate<C> => ({
  kind: 'starts-with',
  column,
  prefix,
})

/** The columns that a predicate looks at, each once. */
export function columnsOf<C>(predicate: Predicate<C>): readonly C[] {
  switch (predicate.kind) {
    case 'true':
    case 'false':
      return []
    case 'and':
    case 'or':
      return [...new Set(predicate.parts.flatMap((part) => columnsOf(part)))]
    case 'not':
      return columnsOf(predicate.part)
    default:
      return [predicate.column]
  }
}
