import * as v from 'valibot'
import { isDay } from './calendar.ts'
import type { JobError } from './errors.ts'
import { usageError } from './errors.ts'
import type { Limit, OptionSpec, OptionTable, OptionValues } from './options.ts'

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

const flag = v.pipe(
  text,
  v.toLowerCase(),
  v.picklist(['true', 'false', '1', '0', 'yes', 'no'], 'give true or false'),
  v.transform((value) => value === 'true' || value === '1' || value === 'yes'),
)

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

const limitPattern = /^(\d{1,15}|\d+(?:\.\d+)?%)$/

const limit = v.pipe(
  text,
  v.regex(limitPattern, 'give a whole number such as 10 or a share such as 5%'),
  v.transform((value): Limit =>
    value.endsWith('%') ? { share: Number(value.slice(0, -1)) / 100 } : { count: Number(value) },
  ),
  v.check((value) => !('share' in value) || value.share <= 1, 'give a share of at most 100%'),
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
    case 'limit':
      return limit
    case 'list':
      return list
    case 'flag':
      return flag
    case 'choice':
      return v.picklist(spec.choices, `give one of ${spec.choices.join(', ')}`)
  }
}
