import { systemCode } from '../../errors.ts'
import { own } from '../own.ts'
import type { Connection } from '../connection/connect.ts'
import { Fault, flagText, type FlagItem } from '../faults.ts'
import { quoteIdentifier } from '../identifiers.ts'
import { isolated } from '../isolated.ts'
import type { CatalogColumn } from './catalog.ts'
import type { CastCheck } from './types.ts'

/**
 * A text is compared as the widest type of what it is read as, times with what they are rounded to; of the others the parser is
 * exact.
 */
const widest: Readonly<Record<string, string>> = {
  int2: 'numeric',
  int4: 'numeric',
  int8: 'numeric',
  float4: 'numeric',
  float8: 'numeric',
  numeric: 'numeric',
  date: 'timestamptz',
  timestamp: 'timestamptz',
  timestamptz: 'timestamptz',
  time: 'timetz',
}

/** A fraction of a second that PostgreSQL's parser rounds. */
const finerThanMicroseconds = `'[.][0-9]{6}[0-9]*[1-9]'`

function widestOf(base: string): string | undefined {
  const element = /^(.*)\[\]$/.exec(base)?.[1]
  if (element === undefined) return own(widest, base)
  const wide = own(widest, element)
  return wide && `${wide}[]`
}

/**
 * What the way back leads to: numbers and times without a precision and without a domain's checks, which a value that was rounded
 * may not fit (99.9 as an integer is no numeric(3,1)).
 */
function wayBack({ base, element, declared }: CatalogColumn): string {
  const name = base ?? element ?? ''
  if (own(widest, name) === undefined) return declared
  return element === undefined ? name : `${name}[]`
}

/** The first whole number beyond: a float may be rounded up to it, and then there is no way back. */
const beyond: Readonly<Record<string, string>> = { int4: '2147483648', int8: '9223372036854775808' }

/** A cast that a flag asks for. */
export interface WantedCast {
  readonly column: CatalogColumn
  /** As PostgreSQL writes it. */
  readonly to: string
  /** The base type that it is. */
  readonly base: string
  readonly lossy: boolean
}

/**
 * Conditions that say whether the cast changes a value, the first that the server can evaluate counts: the way back
 * gives another value, or the text is another. None: the cast is exact, as every type's own text is.
 */
function conditions({ column, to, base }: WantedCast): readonly string[] {
  if (base === 'text') return []
  const value = quoteIdentifier(column.name)
  const cast = `${value}::${to}`
  if (column.isText) {
    const wide = widestOf(base)
    if (wide === undefined) return []
    const isRounded = wide.startsWith('time') ? ` OR ${value}::text ~ ${finerThanMicroseconds}` : ''
    return [`${cast}::${wide} IS DISTINCT FROM ${value}::${wide}${isRounded}`]
  }
  const isOther = `${cast}::${wayBack(column)} IS DISTINCT FROM ${value}`
  const limit = base.startsWith('float') ? own(beyond, column.base ?? '') : undefined
  return [
    limit === undefined
      ? isOther
      : `CASE WHEN ${cast} < ${limit}::float8 THEN ${isOther} ELSE ${value} IS NOT NULL END`,
    `${cast}::text IS DISTINCT FROM ${value}::text`,
  ]
}

/** Longer values are cut in messages. */
const shownLength = 100

/**
 * How COPY shows what the cast does to each value (export-spec §6.3); undefined when it can change none. The server is
 * asked what it can evaluate: the transaction stays usable. A cast that it does not have is a `Fault`.
 *
 * @param from the FROM item of the table, which is locked
 * @param asText the flag that reads the column as text instead
 */
export async function castCheck(
  connection: Connection,
  from: string,
  wanted: WantedCast,
  { shown, asText }: { readonly shown: string; readonly asText: FlagItem },
): Promise<CastCheck | undefined> {
  const { column, to, lossy } = wanted
  const value = quoteIdentifier(column.name)
  const evaluates = async (expression: string): Promise<boolean> => {
    const answer = await isolated(connection, () =>
      connection.query(`SELECT ${expression} FROM ${from} LIMIT 0`),
    )
    if (!(answer instanceof Error)) return true
    if (noSuchCast.includes(systemCode(answer.cause) ?? '')) return false
    throw answer
  }
  if (!(await evaluates(`${value}::${to}`))) {
    throw new Fault('data', `${shown}: PostgreSQL has no cast from ${column.declared} to ${to}`, {
      field: shown,
      fix: `use ${flagText(asText)} in its place, or leave the column out with --columns`,
    })
  }
  for (const condition of conditions(wanted)) {
    const expression = `CASE WHEN ${condition} THEN left(${value}::text, ${shownLength}) END`
    if (await evaluates(expression)) return { expression, lossy, to }
  }
  return undefined
}

/** cannot_coerce and undefined_function: the type has no equality. */
const noSuchCast = ['42846', '42883']
