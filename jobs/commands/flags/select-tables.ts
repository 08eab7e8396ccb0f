import { emptyConfig, type Config } from '../../config/config.ts'
import {
  effectiveOptions,
  tableFacts,
  type EffectiveOptions,
  type TableFacts,
} from '../../config/effective.ts'
import { assertGroup } from '../../config/report.ts'
import { parseTableKey, printTable, type SourceTable, type TableKey } from '../../config/table-key.ts'
import type { Day } from '../../calendar.ts'
import type { JobContext } from '../../context.ts'
import { asError, JobError, usageError } from '../../errors.ts'
import type { ExportOptions } from '../../export/options.ts'
import { assertApart, parseTarget, splitPair, tablePair, type TablePair } from '../../export/target/names.ts'
import type { TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { resolveOptions } from '../../options/resolve-options.ts'
import { allFaults } from '../../postgres/faults.ts'
import { anywhere, type Sections } from '../../postgres/source/own-options.ts'
import { loadConfig } from './config-file.ts'
import { exportTable, fileOptions, type ExportValues } from './export-options.ts'
import { sourceTables } from './sources.ts'
import { toOptions } from './to-options.ts'
import { writtenNamespace } from '../../settings/namespace.ts'

/** A table that a run exports, with its own options. */
export interface SelectedTable {
  /** `[source/]schema.table`. */
  readonly shown: string
  readonly source: string
  readonly pair: TablePair
  readonly values: ExportValues
  readonly options: ExportOptions
  readonly sections: Sections
  /** Who said each value. */
  readonly origins: EffectiveOptions['origins']
}

export interface Selection {
  readonly config: Config
  readonly tables: readonly SelectedTable[]
  /** Patterns whose source could not be asked, as patterns of that source alone. */
  readonly failed: readonly { readonly shown: string; readonly error: Error }[]
  /** Patterns of the file that no table matches. */
  readonly unmatched: readonly string[]
}

/** A name or pattern, and where its table goes, if that is said. */
interface Wanted {
  readonly key: TableKey
  readonly target: TableIdentifier | undefined
}

/**
 * Which tables a run is about, by flags, file and environment, each with its options. Patterns ask their source. Errors: usage, for
 * all that is said wrongly, two sources of one target among it.
 */
export async function selectTables(
  values: ExportValues,
  given: Readonly<Record<string, unknown>>,
  context: JobContext,
  /** Of tables by day for which no day is given; without one these are refused. */
  anyDay?: Day,
  /** A selection without a table is none to be refused. */
  mayBeEmpty = false,
): Promise<Selection> {
  const { group } = values
  const file = await loadConfig(values.config, context, group)
  const config = file ?? emptyConfig
  if (group !== undefined) assertGroup(config, group)
  const isFlag = given['table'] !== undefined
  const namespace = writtenNamespace(context.env)
  // A pattern of another group has no table of this one; its source need not be there.
  const isWanted = (key: TableKey): boolean =>
    group === undefined || !key.isPattern || tableFacts(config, key.table, namespace).group.name === group
  const wanted =
    isFlag || file === undefined
      ? values.table.map(wantedOf)
      : file.tables.flatMap(({ key }): Wanted[] => (isWanted(key) ? [{ key, target: undefined }] : []))
  for (const { key } of wanted) assertSource(config, key)
  const { found, failed, unmatched } = await expand(
    wanted,
    config,
    values,
    context,
    isFlag || file === undefined,
  )
  const excluded = (values.exclude ?? []).map((text) => parseTableKey(text, '--exclude'))
  if (failed.length === 0) assertThere(excluded, found, config, { group, namespace })
  const chosen = found.flatMap(({ table, target, isNamed: isExact }) => {
    const facts = tableFacts(config, table, namespace)
    // Of a group, a name picks what the file has: what is said of a pattern's tables holds.
    const isNamed = isExact && (group === undefined || facts.isNamed)
    // Of no group is what the file does not name.
    const isOfOther =
      group !== undefined && (facts.group.name !== group || (file !== undefined && facts.line === undefined))
    if (isOfOther && isExact && isFlag)
      context.logger.warn(`--table ${printTable(table)}: it is not of the group ${group}, and is left out`)
    const isOut =
      excluded.some((key) => key.matches(table)) || isOfOther || (!facts.enabled && !(isFlag && isNamed))
    return isOut ? [] : [{ table, target, isNamed, facts }]
  })
  const faults: JobError[] = []
  const tables = chosen.flatMap(({ table, target, isNamed, facts }) => {
    try {
      return [
        selected({ table, target, isNamed }, facts, {
          config,
          hasFile: file !== undefined,
          given,
          namespace,
          context,
          anyDay,
          isFlag,
        }),
      ]
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      faults.push(chosen.length === 1 ? error : named(printTable(table), error))
      return []
    }
  })
  if (faults.length > 0) throw allFaults(faults)
  assertApart(tables)
  if (tables.length === 0 && failed.length === 0 && !mayBeEmpty) {
    throw usageError('there is no table to export', {
      field: group === undefined ? '--table' : '--group',
      fix:
        file === undefined
          ? 'name one with --table'
          : group !== undefined && isFlag
            ? `name it under tables in ${file.file}, in that group, or leave --group out`
            : `name some under tables in ${file.file}, or with --table`,
    })
  }
  return { config, tables, failed, unmatched }
}

function wantedOf(text: string): Wanted {
  const [name, target] = splitPair(text)
  const key = parseTableKey(name, '--table')
  if (target === undefined) return { key, target: undefined }
  if (key.isPattern)
    throw usageError(`--table ${text}: all tables of a pattern would become one`, {
      field: '--table',
      fix: 'leave the target out, or give namespace in lakejobs.yaml',
    })
  return { key, target: parseTarget(text, target) }
}

/**
 * A name that leaves nothing out is misspelt, and the table that is meant would go out. What the file has itself, or another group, may
 * be left out all the same.
 */
function assertThere(
  excluded: readonly TableKey[],
  found: readonly Found[],
  config: Config,
  { group, namespace }: { readonly group: string | undefined; readonly namespace: string },
): void {
  const keys = config.tables.flatMap(({ key }) => (key.isPattern ? [] : [key.table]))
  const stray = excluded.find(
    (one) =>
      !one.isPattern &&
      ![...keys, ...found.map(({ table }) => table)].some(one.matches) &&
      (group === undefined || tableFacts(config, one.table, namespace).group.name === group),
  )
  if (stray === undefined) return
  throw usageError(`--exclude ${stray.text}: no table of this run is called so`, {
    field: '--exclude',
    fix: "correct it; a pattern, such as 'shop.tmp_*', may match nothing",
  })
}

function assertSource({ sources, file }: Config, { isPattern, table: { source }, text }: TableKey): void {
  if (source === '' || sources.has(source) || (isPattern && source.includes('*'))) return
  throw usageError(`--table ${text}: there is no source "${source}"`, {
    field: '--table',
    fix:
      file === ''
        ? 'describe it in lakejobs.yaml'
        : `give one of ${[...sources.keys()].join(', ') || 'none'}, as ${file} has them`,
  })
}

interface Found {
  readonly table: SourceTable
  readonly target: TableIdentifier | undefined
  /** By its very name. */
  readonly isNamed: boolean
}

/**
 * Patterns become tables, each once, without those that are named beside them; exact names stay as they are, whether there is such a
 * table or not.
 */
async function expand(
  wanted: readonly Wanted[],
  config: Config,
  values: ExportValues,
  context: JobContext,
  isAsked: boolean,
): Promise<Pick<Selection, 'failed' | 'unmatched'> & { readonly found: readonly Found[] }> {
  const found = new Map<string, Found>()
  const failed: { shown: string; error: Error }[] = []
  for (const { key, target } of wanted)
    if (!key.isPattern)
      found.set(JSON.stringify([key.table, target]), { table: key.table, target, isNamed: true })
  const exact = new Set([...found.values()].map(({ table }) => printTable(table)))
  const patterns = wanted.filter(({ key }) => key.isPattern)
  const matched = new Set<TableKey>()
  for (const source of ['', ...config.sources.keys()]) {
    const asked = patterns.filter(({ key }) => key.matches({ ...key.table, source }))
    if (asked.length === 0) continue
    try {
      for (const table of await sourceTables(config, source, values, context)) {
        const fits = asked.filter(({ key }) => key.matches(table))
        for (const { key } of fits) matched.add(key)
        const name = printTable(table)
        if (fits.length > 0 && !exact.has(name)) found.set(name, { table, target: undefined, isNamed: false })
      }
    } catch (error) {
      context.signal.throwIfAborted()
      if (error instanceof JobError && error.code === 'usage') throw error
      for (const { key } of asked) matched.add(key)
      failed.push(...asked.map(({ key }) => ({ shown: inSource(key.text, source), error: asError(error) })))
    }
  }
  const unmatched = patterns.filter(({ key }) => !matched.has(key))
  for (const { key } of unmatched) {
    if (isAsked)
      throw usageError(`--table ${key.text}: no table or view matches`, {
        field: '--table',
        fix: 'correct the pattern, or grant the role USAGE on the schema',
      })
    context.logger.warn({ table: key.text }, `${config.file}: no table or view matches ${key.text}`)
  }
  return { found: [...found.values()], failed, unmatched: unmatched.map(({ key }) => key.text) }
}

/** What is of every source, as a pattern of one: of the source crm `crm/public.invoices`. */
const inSource = (text: string, source: string): string =>
  text.replace(/^[^"/.\s]+\//, source && `${source}/`)

interface Layers {
  readonly config: Config
  readonly hasFile: boolean
  readonly given: Readonly<Record<string, unknown>>
  readonly namespace: string
  readonly context: JobContext
  readonly anyDay: Day | undefined
  /** `--table` says which. */
  readonly isFlag: boolean
}

function selected(
  { table, target, isNamed }: Found,
  facts: TableFacts,
  { config, hasFile, given, namespace, context, anyDay, isFlag }: Layers,
): SelectedTable {
  const shown = printTable(table)
  const said = effectiveOptions(fileOptions, {
    flags: given,
    table: facts.sections,
    group: facts.group.options,
    env: context.env,
    originOf: context.originOf,
    defaults: config.defaults,
    hasFile,
  })
  const values = resolveOptions(exportTable, daysOf(said, anyDay), {})
  const by = said.origins['partition-by']?.layer
  const { namespace: levels, name } = facts.target
  const namedHere = (option: string): string[] =>
    facts.isNamed ? namesIn(facts.sections[0]?.get(option)?.words) : []
  return {
    shown,
    source: table.source,
    values,
    pair: tablePair(
      table,
      target ?? { namespace: levels.split('.'), name },
      namespace,
      shown,
      hasFile && !isFlag ? config.file : undefined,
    ),
    options: {
      ...toOptions(
        values,
        by === 'flag' || by === 'table' || by === 'group',
        isNamed || facts.isNamed,
        context,
      ),
      excludedHere: namedHere('exclude-columns'),
      hashedHere: namedHere('hash'),
    },
    origins: said.origins,
    sections: sectionsOf(said, shown, facts, hasFile),
  }
}

/** Names, no patterns, of a list's words. */
const namesIn = (words: string | readonly string[] = []): string[] =>
  [words].flat().filter((text) => !text.includes('*') && !text.includes(','))

/** A table that the file always exports as a whole has no days: those that flags give are for others of the call. */
function daysOf(
  { words, origins }: EffectiveOptions,
  anyDay: Day | undefined,
): Readonly<Record<string, unknown>> {
  const isDayless = words['date'] === undefined && words['from'] === undefined && words['to'] === undefined
  if (words['mode'] === 'day' && isDayless && anyDay !== undefined)
    return { ...words, date: anyDay, lookback: '0' }
  const mode = origins['mode']?.layer
  if (words['mode'] !== 'full' || (mode !== 'table' && mode !== 'group' && mode !== 'defaults')) return words
  return Object.fromEntries(Object.entries(words).filter(([name]) => !['date', 'from', 'to'].includes(name)))
}

/**
 * What a table's own key says, its columns must have; what a file says of several tables, or the environment beside a file, is
 * meant where there is such a column; flags are for one of the call's tables at least.
 */
const sectionsOf = (
  { origins }: EffectiveOptions,
  shown: string,
  { isNamed, sections: [first] }: TableFacts,
  hasFile: boolean,
): Sections =>
  Object.fromEntries(
    Object.entries(origins).flatMap(([name, { layer }]) => {
      if (layer === 'flag' || layer === 'default' || !hasFile) return []
      const isOwn = layer === 'table' && isNamed && first?.has(name) === true
      return [[`--${name}`, isOwn ? shown : anywhere]]
    }),
  )

function named(table: string, { code, message, field, fix }: JobError): JobError {
  return new JobError(code, `${table}: ${message}`, {
    ...(field !== undefined && { field }),
    ...(fix !== undefined && { fix }),
  })
}
