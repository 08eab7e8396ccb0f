import type { KeyObject } from 'node:crypto'
import { dataError, JobError, listed, usageError } from '../../errors.ts'
import { own } from '../own.ts'
import { flagText } from '../faults.ts'
import { quoteIdentifier } from '../identifiers.ts'
import type { CatalogColumn } from './catalog.ts'
import type { WantedCast } from './casts.ts'
import {
  castMapping,
  decimalMapping,
  exactMapping,
  flagWord,
  mappingOf,
  widened,
  type ColumnContext,
} from './mapping.ts'
import { withinRange, type OutOfRange } from './out-of-range.ts'
import type { SourceColumn, SourceType } from './types.ts'

/** Which columns of a table are read, in which order and as what. Of a call with several tables: `own-options.ts`. */
export interface ColumnOptions {
  /** Names in the order wanted; undefined: all, in the table's (or the contract's) order. */
  readonly columns?: readonly string[]
  /** `--exclude-columns`: names or patterns, in any case, of columns that are never read. */
  readonly excluded?: readonly string[]
  /** Of these the names that the table has to have. */
  readonly excludedHere?: readonly string[]
  /** `--hash`: names or patterns, in any case, of columns whose values become HMACs of their text. */
  readonly hashed?: readonly string[]
  /** Of these the names that the table has to have. */
  readonly hashedHere?: readonly string[]
  /** By which they are hashed. */
  readonly hashKey?: KeyObject
  /** `--new-columns`: the columns that the lake has; without `columns` others are left out, or faults. Undefined: all are taken. */
  readonly known?: { readonly names: readonly string[]; readonly newColumns: 'warn' | 'fail' }
  /** `--cast column=type`: column name → PostgreSQL type. A value that it changes is refused. */
  readonly casts?: Readonly<Record<string, string>>
  /** `--lossy-cast column=type`: the same, and changed values are taken and counted. */
  readonly lossyCasts?: Readonly<Record<string, string>>
  /** `--decimal column=p,s`: what an unconstrained or too wide numeric is read as. */
  readonly decimals?: Readonly<Record<string, { readonly precision: number; readonly scale: number }>>
  /** `--out-of-range`; undefined: such values are refused. Not of columns with a cast, nor of lists. */
  readonly outOfRange?: OutOfRange
  /** Types that the lake has for columns: a narrower one of the source is read as that (int as long …). */
  readonly wider?: Readonly<Record<string, SourceType>>
}

export interface PlannedColumns {
  readonly columns: readonly SourceColumn[]
  /** Casts that may change values, by column. */
  readonly casts: readonly WantedCast[]
  /** All that stands in the way: `columns` lacks what they are about. */
  readonly faults: readonly JobError[]
}

/** The order of design §3.3, which the lake's table has and the source's has not. */
const contractTable = 'public.web_logs'
const contractOrder = ['timestamp', 'user_id', 'url', 'response_time', 'status_code']

/**
 * The columns to read, with every fault there is: what the flags say wrongly is exit 2, a type without an exact
 * counterpart exit 3, with the flag that resolves it. Names that the table has not are somebody else's to refuse.
 */
export function planColumns(
  context: ColumnContext,
  catalog: readonly CatalogColumn[],
  options: ColumnOptions,
): PlannedColumns {
  const faults: JobError[] = []
  const columns: SourceColumn[] = []
  const casts: WantedCast[] = []
  const byName = new Map(catalog.map((column) => [column.name, column]))
  const news = newColumns(context.table, [...byName.keys()], options)
  const names = (options.columns ?? defaultOrder(context.table, [...byName.keys()])).filter(
    (name) => !fitsColumn(context.table, name, options.excluded) && !news.includes(name),
  )
  if (news.length > 0 && options.known?.newColumns === 'fail')
    faults.push(
      dataError(`${context.table} has new columns: ${listed(news)}`, {
        field: '--new-columns',
        fix: 'add them with --new-columns add, or leave them out with --exclude-columns or --new-columns warn',
      }),
    )
  const namedHere = { '--exclude-columns': options.excludedHere, '--hash': options.hashedHere }
  for (const [flag, texts = []] of Object.entries(namedHere))
    for (const text of texts)
      if (!catalog.some(({ name }) => fitsColumn(context.table, name, [text])))
        faults.push(
          usageError(`${flag}: ${context.table} has no column ${text}`, {
            field: flag,
            fix: `correct it; the table has ${listed([...byName.keys()])}`,
          }),
        )
  if (names.length === 0 && catalog.length > 0 && options.excluded !== undefined)
    faults.push(
      usageError(`${context.table}: --exclude-columns leaves no column`, {
        field: '--exclude-columns',
        fix: 'leave the table out, or exclude less',
      }),
    )
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    faults.push(
      usageError(`--columns names ${context.table}.${twice} twice`, {
        field: '--columns',
        fix: 'name every column once',
      }),
    )
  }
  for (const column of names.map((name) => byName.get(name)).filter((one) => one !== undefined)) {
    try {
      if (!column.readable) throw unreadable(context.table, column, catalog)
      const { cast, ...planned } = planColumn(context, column, options)
      columns.push(planned)
      if (cast !== undefined) casts.push(cast)
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      faults.push(error)
    }
  }
  return { columns, casts, faults }
}

/** Of a table's columns those that the lake has not and nobody has asked for by name. */
export const newColumns = (
  table: string,
  names: readonly string[],
  { columns, excluded, known }: ColumnOptions,
): string[] =>
  columns !== undefined || known === undefined
    ? []
    : names.filter((name) => !known.names.includes(name) && !fitsColumn(table, name, excluded))

function planColumn(
  context: ColumnContext,
  column: CatalogColumn,
  options: ColumnOptions,
): SourceColumn & { readonly cast?: WantedCast } {
  const { name } = column
  const lossy = own(options.lossyCasts, name)
  const exact = own(options.casts, name)
  const decimal = own(options.decimals, name)
  const hashed = fitsColumn(context.table, name, options.hashed) ? true : undefined
  const said = Object.entries({
    '--hash': hashed,
    '--lossy-cast': lossy,
    '--cast': exact,
    '--decimal': decimal,
  }).filter(([, value]) => value !== undefined)
  const [[flag] = [''], [other] = ['']] = said
  if (said.length > 1 && !(said.length === 2 && lossy === exact)) {
    throw usageError(`both ${flag} and ${other} name ${context.table}.${name}`, {
      field: flag,
      fix: 'use one of them',
    })
  }
  if (hashed === true) return hashedColumn(context, column, options)
  const to = lossy ?? exact
  const cast = to === undefined ? undefined : castMapping(context, name, to)
  const found =
    cast?.mapping ??
    (decimal === undefined ? exactMapping(context, column) : decimalMapping(context, column, decimal))
  const { readAs, ...mapping } = found
  const wider = said.length > 0 ? undefined : widened(mapping.type, own(options.wider, name))
  const { type } = wider?.mapping ?? mapping
  const limited =
    to === undefined && options.outOfRange !== undefined
      ? withinRange(name, type, options.outOfRange)
      : undefined
  const castTo = to ?? wider?.cast ?? readAs
  const isAlwaysThere = limited === undefined || (options.outOfRange === 'clamp' && type.kind !== 'decimal')
  // PostgreSQL 18 makes NULL of a JSON null.
  const isJsonNull = lossy !== undefined && column.base === 'jsonb'
  return {
    name,
    attnum: column.attnum,
    ...mapping,
    ...wider?.mapping,
    required: column.notNull && !context.optional && isAlwaysThere && !isJsonNull,
    expression: castTo === undefined ? quoteIdentifier(name) : `${quoteIdentifier(name)}::${castTo}`,
    ...limited,
    sourceType: column.declared,
    ...(readAs !== undefined && { readAs }),
    ...(cast && to !== undefined && { cast: { column, to, base: cast.base, lossy: lossy !== undefined } }),
  }
}

/** The text of a value is that of its type, under the session's fixed settings; of a string that the lake would have, the string. */
function hashedColumn(
  { table, optional }: ColumnContext,
  column: CatalogColumn,
  { hashKey }: ColumnOptions,
): SourceColumn {
  const { name, attnum, notNull, declared } = column
  if (hashKey === undefined)
    throw usageError(`LAKEJOBS_HASH_KEY is not set, by which ${table}.${name} is hashed`, {
      field: 'LAKEJOBS_HASH_KEY',
      fix: 'set it or LAKEJOBS_HASH_KEY_FILE',
    })
  const isText = mappingOf(column.base)?.wire === 'text'
  return {
    name,
    attnum,
    wire: 'text',
    type: { kind: 'string' },
    hashed: true,
    required: notNull && !optional,
    expression: isText ? quoteIdentifier(name) : `${quoteIdentifier(name)}::text`,
    sourceType: declared,
  }
}

/**
 * Whether `--exclude-columns` or `--hash` means the column, in doubt it does: names in any case, with or without their table, `*` for any
 * letters.
 *
 * @param table `schema.table`
 */
export const fitsColumn = (table: string, name: string, texts: readonly string[] = []): boolean =>
  texts.some((text) => {
    const pieces = text
      .replaceAll('"', '')
      .split('*')
      .map((piece) => piece.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    const expression = new RegExp(`^${pieces.join('.*')}$`, 'isu')
    const full = `${table}.${name}`.replaceAll('"', '')
    return [name.replaceAll('"', ''), full, full.slice(full.indexOf('.') + 1)].some((one) =>
      expression.test(one),
    )
  })

/** The role has neither the table's nor the column's SELECT. */
export function unreadable(
  table: string,
  column: CatalogColumn,
  catalog: readonly CatalogColumn[],
): JobError {
  const readable = catalog.filter((one) => one.readable).map(({ name }) => name)
  return usageError(`the role may not read column ${table}.${column.name}`, {
    field: `${table}.${column.name}`,
    fix: `GRANT SELECT on the table to it, or name what it may read with ${flagText({ flag: '--columns', item: readable.map(flagWord).join(',') })}`,
  })
}

function defaultOrder(table: string, names: readonly string[]): readonly string[] {
  if (table !== contractTable) return names
  const known = contractOrder.filter((name) => names.includes(name))
  return [...known, ...names.filter((name) => !known.includes(name))]
}
