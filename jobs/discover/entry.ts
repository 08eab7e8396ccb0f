import { Fault } from '../postgres/faults.ts'
import { formatTable, quoteIdentifier } from '../postgres/identifiers.ts'
import { planColumns } from '../postgres/source/columns.ts'
import type { DayCandidate, TableFacts } from './facts.ts'

/** What a starter file says of a table: options as YAML's, and lines for people. */
export interface TableEntry {
  readonly options: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

/** Names that are likely to be somebody's secret. */
const secret =
  /pass(word|wd|phrase|code)|(^|_)pwd|secret|token|iban|api_?key|private_?key|(^|_)(ssn|salt|cvv|cvc|otp)(_|$)|card_?(no|num)/i

/** What to export of a table as it is, and what somebody should look at. */
export function tableEntry(facts: TableFacts): TableEntry {
  const { kind, columns, primaryKey } = facts
  const shown = formatTable(facts.table)
  const away = (reason: string): TableEntry => ({
    options: { enabled: false },
    notes: [sizeNote(facts), reason],
  })
  if (kind !== 'table') return away(`a ${kind}: read as a whole each time; enable it if that is wanted`)
  if ([facts.table.schema, facts.table.name].some((part) => /[/\\\p{Cc}]/u.test(part) || /^\.+$/.test(part)))
    return away('its name cannot be that of a folder: give it a target, and enable it')
  if (facts.rowSecurity)
    return away(
      'row-level security hides rows from this role: connect as a role with BYPASSRLS, or say row-security: true',
    )
  if (columns.length === 0) return away('it has no columns')
  const readable = columns.filter((column) => column.readable)
  const secrets = readable.filter(({ name }) => secret.test(name)).map(({ name }) => name)
  const wanted = readable.filter(({ name }) => !secrets.includes(name))
  if (wanted.length === 0)
    return away(
      readable.length === 0 ? 'the role may read no column of it' : 'all of its columns look like secrets',
    )
  const { faults, columns: planned } = planColumns(
    { table: shown, isOneOfSeveral: false, optional: true },
    wanted,
    {},
  )
  const casts = new Map<string, string>()
  const decimals = new Map<string, string>()
  for (const fault of faults) {
    const [first] = fault instanceof Fault ? fault.flags : []
    if (first === undefined) return away(fault.message)
    const name = first.item.slice(0, first.item.lastIndexOf('='))
    const column = wanted.find((one) => one.name === name || quoteIdentifier(one.name) === name)
    const decimal = first.flag === '--decimal' ? decimalFor(facts, column?.name ?? name) : undefined
    if (decimal === undefined) casts.set(name, column?.element === undefined ? 'text' : 'text[]')
    else decimals.set(name, decimal)
  }
  const texts = planned.filter(({ readAs }) => readAs !== undefined).map(({ name }) => name)
  const likely = facts.days.filter(({ name }) => !secrets.includes(name)).toSorted(byLikelihood)[0]
  return {
    options: {
      ...(readable.length < columns.length && { columns: readable.map(({ name }) => listName(name)) }),
      ...(secrets.length > 0 && { 'exclude-columns': secrets.map(listName) }),
      ...(decimals.size > 0 && { decimal: Object.fromEntries(decimals) }),
      ...(casts.size > 0 && { cast: Object.fromEntries(casts) }),
    },
    notes: [
      `${sizeNote(facts)}; ${primaryKey.length === 0 ? 'no primary key' : `primary key ${primaryKey.join(', ')}`}`,
      ...(likely === undefined ? [] : [dayNote(likely)]),
      ...(secrets.length === 0 ? [] : [`not exported, as they look like secrets: ${secrets.join(', ')}`]),
      ...(texts.length === 0 ? [] : [`as text, as the lake has no such type: ${texts.join(', ')}`]),
      ...(decimals.size === 0
        ? []
        : [
            'numeric without precision: a value that the decimal cannot hold is exit 3; cast: text takes all',
          ]),
    ],
  }
}

/** Flags and lists split at commas outside of double quotes. */
const listName = (name: string): string => (/^[^\s",=()*]+$/.test(name) ? name : quoteIdentifier(name))

/** Room for what statistics have seen; undefined where a decimal has none. */
function decimalFor({ decimals, columns }: TableFacts, name: string): string | undefined {
  const column = columns.find((one) => one.name === name)
  if (column !== undefined && column.typmod >= 4) return undefined
  const { whole, scale, isFinite } = decimals.get(name) ?? { whole: 0, scale: 0, isFinite: true }
  const places = Math.max(scale, 9)
  return isFinite && whole + places <= 38 ? `38,${places}` : undefined
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB']

/** In SI units. */
export function sizeText(bytes: number): string {
  const step = Math.min(bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3), sizes.length - 1)
  return `${Number((bytes / 1000 ** step).toPrecision(3))} ${sizes[step]!}`
}

const sizeNote = ({ rows, bytes }: TableFacts): string =>
  rows === undefined
    ? 'never analysed: size not known'
    : `about ${rows.toLocaleString('en')} rows, ${sizeText(bytes)}`

const born = /creat|insert|occur|happen|order|event|start|date|day|time|(^|_)(at|on|ts)$/i
const moves = /updat|modif|delet|expir|cancel|end|ship|due|last|birth/i

function byLikelihood(one: DayCandidate, other: DayCandidate): number {
  const score = ({ name, indexed, notNull, nulls }: DayCandidate): number =>
    (moves.test(name) ? -8 : 0) +
    (born.test(name) ? 2 : 0) +
    (indexed ? 4 : 0) +
    (notNull ? 3 : nulls === 0 ? 2 : 0)
  return score(other) - score(one)
}

function dayNote({ name, indexed, notNull, nulls }: DayCandidate): string {
  const share =
    nulls === undefined ? 'may be NULL' : nulls === 0 ? 'no NULLs seen' : `${Math.ceil(100 * nulls)} % NULLs`
  const reason = `${notNull ? 'NOT NULL' : share}, ${indexed ? 'indexed' : 'no index: each day reads the whole table'}`
  return `by day: mode: day, day-column: ${name}, partition-by: ["day(${name})"] (${reason})`
}
