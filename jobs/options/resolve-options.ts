import * as v from 'valibot'
import { isDay } from '../calendar.ts'
import type { JobError } from '../errors.ts'
import { listed, usageError } from '../errors.ts'
import { booleanFix, booleanOf } from './boolean.ts'
import { stallTimeout, type Limit, type OptionSpec, type OptionTable, type OptionValues } from './options.ts'

/**
 * Flags and environment to typed values: flag > environment (which has `.env` below it) > default.
 * The first value that is wrong throws a usage error that names the option, the value and the fix.
 *
 * @param flags what the command line gave, by option name, as text (true for flags)
 */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>>,
): OptionValues<Table> {
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(table)) {
    const flag = flags[name]
    const fromEnv = spec.env === undefined ? undefined : env[spec.env]
    if (flag !== undefined) values[name] = parse(`--${name}`, spec, asText(name, spec, flag))
    else if (fromEnv !== undefined) values[name] = parse(spec.env ?? name, spec, fromEnv)
    else if (spec.default !== undefined) values[name] = parse(`--${name}`, spec, spec.default)
    else if (spec.kind === 'flag') values[name] = false
  }
  return values as OptionValues<Table>
}

/** `LAKEJOBS_STALL_TIMEOUT` where no flag says otherwise, in milliseconds. */
export const environmentStallTimeout = (env: Readonly<Record<string, string>>): number =>
  resolveOptions({ stall: stallTimeout }, {}, env).stall

/** A setting that is true or false and no command's option; false when it is not set. */
export const environmentFlag = (env: Readonly<Record<string, string>>, name: string): boolean =>
  resolveOptions({ flag: { kind: 'flag', env: name, describe: '' } }, {}, env).flag

function asText(name: string, spec: OptionSpec, flag: unknown): string {
  if (Array.isArray(flag)) {
    if (spec.kind === 'list') return flag.map(String).join(',')
    throw usageError(`--${name} is given ${flag.length} times`, { field: `--${name}`, fix: 'give it once' })
  }
  return String(flag)
}

function parse(label: string, spec: OptionSpec, text: string): unknown {
  const result = v.safeParse(schemaOf(spec), text)
  if (result.success) return result.output
  throw invalidValue(label, text, result.issues[0].message)
}

/** `<field>: "<value>" is not <what it must be>`; the fix says what to give instead. */
const invalidValue = (field: string, value: string, fix: string): JobError =>
  usageError(`${field}: "${value}" is not valid`, { field, fix })

const text = v.string()
const nonEmpty = v.pipe(text, v.nonEmpty('give a value'))

const day = v.pipe(text, v.check(isDay, 'give a calendar day as YYYY-MM-DD, for example 2024-02-29'))

const flag = v.pipe(text, v.transform(booleanOf), v.boolean(booleanFix))

const countOf = (minimum: number) => {
  const fix = `give a whole number of ${minimum} or more, without separators`
  return v.pipe(
    text,
    v.regex(/^\d{1,15}$/, fix),
    v.transform(Number),
    v.check((value) => value >= minimum, fix),
  )
}

const sizes: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }
const sizePattern = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?$/i

const size = v.pipe(
  text,
  v.regex(sizePattern, 'give an amount of memory such as 512MB or 2GB'),
  v.transform((value) => {
    const [, number = '', unit = ''] = sizePattern.exec(value) ?? []
    return Math.floor(Number(number) * (sizes[unit.toUpperCase()] ?? 1))
  }),
  v.minValue(1, 'give an amount of memory above zero'),
)

const units: Readonly<Record<string, number>> = { '': 0, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const durationPattern = /^(?:0|(\d{1,9}(?:\.\d+)?)\s*(ms|s|m|h))$/

const duration = v.pipe(
  text,
  v.regex(durationPattern, 'give a time with its unit, such as 30s or 5m, or 0'),
  v.transform((value) => {
    const [, number = '0', unit = ''] = durationPattern.exec(value) ?? []
    return Number(number) * (units[unit] ?? 0)
  }),
  v.maxValue(2 ** 31 - 1, 'give a time of at most 24 days'),
)

const agePattern = /^(?:0|(\d{1,6}(?:\.\d+)?)\s*(m|h|d))$/

const age = v.pipe(
  text,
  v.regex(agePattern, 'give an age with its unit, such as 36h or 7d, or 0'),
  v.transform((value) => {
    const [, number = '0', unit = ''] = agePattern.exec(value) ?? []
    return Number(number) * (unit === 'd' ? 86_400_000 : (units[unit] ?? 0))
  }),
)

const instantPattern = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?$/i

/** A day alone is refused: it could mean its beginning or its end. */
const instant = v.pipe(
  text,
  v.transform((value) => {
    const [, date = '', time = '', zone = 'Z'] = instantPattern.exec(value) ?? []
    return isDay(date) ? Date.parse(`${date}T${time}${zone.toUpperCase()}`) : Number.NaN
  }),
  v.finite('give a day and a time, for example 2024-09-16T07:00Z'),
)

const sharePattern = /^\d+(?:\.\d+)?%$/
const shareOf = (value: string): number => Number(value.slice(0, -1)) / 100
const atMostAll = 'give a share of at most 100%'

const share = v.pipe(
  text,
  v.regex(sharePattern, 'give a share with its %, such as 50%'),
  v.transform(shareOf),
  v.maxValue(1, atMostAll),
)

const limitPattern = /^(\d{1,15}|\d+(?:\.\d+)?%)$/

const limit = v.pipe(
  text,
  v.regex(limitPattern, 'give a whole number such as 10 or a share such as 5%'),
  v.transform((value): Limit => (value.endsWith('%') ? { share: shareOf(value) } : { count: Number(value) })),
  v.check((value) => !('share' in value) || value.share <= 1, atMostAll),
)

/** Commas inside double quotes or brackets belong to the value: `"a,b"`, `bucket(16, id)`. */
const listItem = /(?:"(?:[^"]|"")*"|\([^)]*\)|[^,])+/g

const list = v.pipe(
  nonEmpty,
  v.transform((value) => (value.match(listItem) ?? []).map((item) => item.trim())),
  v.check((items) => items.length > 0 && !items.includes(''), 'give values separated by commas'),
)

function schemaOf(spec: OptionSpec): v.GenericSchema<unknown, unknown> {
  switch (spec.kind) {
    case 'text':
    case 'place':
      return nonEmpty
    case 'day':
      return day
    case 'count':
      return countOf(spec.minimum ?? 0)
    case 'size':
      return size
    case 'duration':
      return duration
    case 'age':
      return age
    case 'instant':
      return instant
    case 'share':
      return share
    case 'limit':
      return limit
    case 'list':
      return list
    case 'flag':
      return flag
    case 'choice':
      return v.picklist(spec.choices, `give one of ${listed(spec.choices)}`)
  }
}
