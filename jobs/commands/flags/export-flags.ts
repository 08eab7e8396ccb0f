import { addDays, firstDay, msPerDay, type Day } from '../../calendar.ts'
import { usageError } from '../../errors.ts'
import type { OptionTable } from '../../options/options.ts'
import { resolveOptions } from '../../options/resolve-options.ts'
import type { ExportFormat, ExportScope } from '../../export/options.ts'
import { parsePartitionExpression } from '../../iceberg/partition/transforms.ts'

/** `--format` values. */
export function exportFormats(texts: readonly string[]): ReadonlySet<ExportFormat> {
  const formats = texts.map((text) => {
    if (text === 'parquet' || text === 'iceberg') return text
    throw usageError(`--format: "${text}" is not valid`, {
      field: '--format',
      fix: 'give parquet, iceberg or parquet,iceberg',
    })
  })
  return new Set(formats)
}

/** The flags that say what is replaced. */
export interface ScopeFlags {
  readonly mode: 'auto' | 'full' | 'day'
  readonly date: Day | undefined
  readonly from: Day | undefined
  readonly to: Day | undefined
  readonly lookback: number
}

/** `auto` is by day when a date is given (operations-spec §1.4). */
export function exportScope({ mode, date, from, to, lookback }: ScopeFlags): ExportScope {
  if (date !== undefined && (from !== undefined || to !== undefined)) {
    throw usageError('--date is given together with --from or --to', {
      field: '--date',
      fix: 'give --date for one day, or --from and --to for several',
    })
  }
  const last = date ?? to
  const daysBefore = date === undefined ? Infinity : (Date.parse(date) - Date.parse(firstDay)) / msPerDay
  if (date !== undefined && lookback > daysBefore) {
    throw usageError(`--lookback ${lookback} reaches before ${firstDay}, the first day there is`, {
      field: '--lookback',
      fix: `give --lookback ${daysBefore} or less`,
    })
  }
  const first = from ?? (date === undefined ? undefined : addDays(date, -lookback))
  if (last === undefined && first === undefined) {
    if (mode !== 'day') return { mode: 'full' }
    throw usageError('--mode day without a day', { field: '--date', fix: 'give --date, or --from and --to' })
  }
  if (mode === 'full') {
    throw usageError('--mode full together with a date', {
      field: '--mode',
      fix: 'leave the date out to replace the whole table, or leave --mode out to replace the days',
    })
  }
  if (last === undefined || first === undefined) {
    const missing = last === undefined ? '--to' : '--from'
    throw usageError(`${missing} is missing`, { field: missing, fix: 'give --from and --to together' })
  }
  if (last < first) {
    throw usageError(`--to ${last} is before --from ${first}`, {
      field: '--to',
      fix: 'give --from the earlier day',
    })
  }
  return { mode: 'day', from: first, to: last }
}

/**
 * Divided at the last `=` outside of double quotes; where a name has a quote of its own, at the last one. `""` within quotes ends
 * them and begins them again: with several ways to read it, many quotes would take for ever.
 */
const pair = /^((?:"[^"]*"|[^"])+)=((?:"[^"]*"|[^"=])+)$/s
const plainPair = /^(.+)=([^=]+)$/s

/** `name=value` items. */
export function pairs(flag: string, items: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (items ?? []).map((item) => {
      const [, name, value] = pair.exec(item) ?? plainPair.exec(item) ?? []
      if (name !== undefined && value !== undefined) return [name, value]
      const form = flag === '--rename' ? 'old=new' : 'column=type'
      throw usageError(`${flag}: "${item}" is not valid`, { field: flag, fix: `write ${flag} ${form}` })
    }),
  )
}

/** `column=p,s` items; the comma between p and s has split them. */
export function decimals(
  items: readonly string[] | undefined,
): Record<string, { readonly precision: number; readonly scale: number }> {
  const texts = (items ?? []).join(',').match(/(?:"[^"]*"|[^,"])+=\d+,\d+/g) ?? []
  if (texts.join(',') !== (items ?? []).join(',')) {
    throw usageError(`--decimal: "${(items ?? []).join(',')}" is not valid`, {
      field: '--decimal',
      fix: 'write --decimal column=38,9 (precision, scale)',
    })
  }
  return Object.fromEntries(
    texts.map((text): [string, { precision: number; scale: number }] => {
      const [, name = '', precision, scale] = /^(.+)=(\d+),(\d+)$/.exec(text) ?? []
      return [name, { precision: Number(precision), scale: Number(scale) }]
    }),
  )
}

/** It stands in every snapshot's summary. */
const longestWhere = 2000

/** What an option's kind does not tell of its value, whoever gives it; `words` as the flag has them. Errors: usage. */
export function exportCheck(name: string, words: string | readonly string[]): void {
  const option: OptionTable = { [name]: { kind: 'list', describe: '' } }
  const items = (): readonly string[] => resolveOptions(option, { [name]: words }, {})[name] as string[]
  switch (name) {
    case 'format':
      exportFormats(items())
      break
    case 'partition-by':
      for (const item of items()) parsePartitionExpression(item, '--partition-by')
      break
    case 'decimal':
      decimals(items())
      break
    case 'where':
      if (String(words).includes('\0') || String(words).length > longestWhere)
        throw usageError(`--where is longer than ${longestWhere} characters, or has a zero byte`, {
          field: '--where',
          fix: 'make a view or a function of it at the source',
        })
      break
    case 'cast':
    case 'lossy-cast':
    case 'rename':
      pairs(`--${name}`, items())
  }
}
