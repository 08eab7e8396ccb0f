import { JobError } from '../errors.ts'
import { own } from '../postgres/own.ts'
import type { OptionTable } from '../options/options.ts'
import { readDocument, type Entry, type Value } from './document.ts'
import { fileError, type FileFault, type PlacedFault, type Report } from './faults.ts'
import { checkGroup, checkSource, checkTarget } from './checks.ts'
import type { Config, ConfiguredGroup, ConfiguredTable } from './config.ts'
import { defaultGroup, fileVersion, groupKeys, sourceKeys, tableKeys } from './keys.ts'
import {
  entriesOf,
  keysOf,
  pathOf,
  readSection,
  reportTwice,
  textOf,
  type OptionCheck,
  type Section,
} from './section.ts'
import { reportMissing } from './references.ts'
import { parseTableKey, printTable, type TableKey } from './table-key.ts'

export interface ConfigContext {
  /** As messages name it. */
  readonly file: string
  /** The options of the export that a file may give. */
  readonly options: OptionTable
  readonly check: OptionCheck
  readonly env: Readonly<Record<string, string>>
}

/** Parses and checks a file's text. Throws all that is wrong with it as one usage error. */
export function parseConfig(text: string, context: ConfigContext): Config {
  const { config, faults } = parseFaulty(text, context)
  if (config === undefined || faults.length > 0) throw fileError(context.file, faults)
  return config
}

/** What a file says as far as it says it rightly, and all that is wrong with it. Undefined: it is no YAML. */
export function parseFaulty(
  text: string,
  { file, options, check, env }: ConfigContext,
): { readonly config: Config | undefined; readonly faults: readonly PlacedFault[] } {
  const faults: PlacedFault[] = []
  const reportOf =
    (place: Omit<PlacedFault, keyof FileFault>): Report =>
    (fault) => {
      faults.push({ ...fault, ...place })
    }
  const report = reportOf({})
  const top = readDocument(text, (name) => own(env, name), report)
  if (top === undefined) return { config: undefined, faults }
  const keys = keysOf(top, '', ['version', 'sources', 'defaults', 'groups', 'tables'], report)
  checkVersion(keys.get('version'), top, report)
  const sources = namedEntries(keys.get('sources'), 'sources', report).map(([name, entry, field]) => {
    const about = readSection(
      keysOf(entry.value, field, Object.keys(sourceKeys), report),
      sourceKeys,
      field,
      report,
    )
    checkSource(name, about, entry.at, field, report)
    return [
      name,
      { env: textOf(about, 'env') ?? sourceKeys.env.default, database: textOf(about, 'database') },
    ] as const
  })
  /** Options and what else a place has, in one map. */
  const readBoth = (
    value: Value,
    field: string,
    own: OptionTable,
    reporting: Report,
  ): { readonly about: Section; readonly options: Section } => {
    const found = keysOf(value, field, [...Object.keys(own), ...Object.keys(options)], reporting)
    return {
      about: readSection(found, own, field, reporting),
      options: readSection(found, options, field, reporting, check),
    }
  }
  const groups = namedEntries(keys.get('groups'), 'groups', report).map(([name, entry, field]) => {
    const reporting = reportOf({ group: name })
    const group = { name, ...readBoth(entry.value, field, groupKeys, reporting) }
    checkGroup(name, group.about, entry.at, field, reporting)
    return [name, group] as const
  })
  const described = new Map<string, ConfiguredGroup>([
    [defaultGroup, { name: defaultGroup, about: new Map(), options: new Map() }],
    ...groups,
  ])
  const defaults = keys.get('defaults')
  const tables = readTables(
    keys.get('tables'),
    (value, field, key) => readBoth(value, field, tableKeys, reportOf(key === undefined ? {} : { key })),
    (key) => reportOf(key === undefined ? {} : { key }),
  )
  const missing = reportMissing(tables, [...described.keys()], [...sources.map(([name]) => name)], (key) =>
    reportOf({ key }),
  )
  return {
    config: {
      file,
      sources: new Map(sources),
      // Of a name that nobody describes there is a group, too: no other has its tables.
      groups: new Map<string, ConfiguredGroup>([
        ...described,
        ...missing.map((name) => [name, { name, about: new Map(), options: new Map() }] as const),
      ]),
      defaults: defaults === undefined ? new Map() : readBoth(defaults.value, 'defaults', {}, report).options,
      tables,
    },
    faults,
  }
}

function checkVersion(version: Entry | undefined, top: Value, report: Report): void {
  if (version === undefined)
    report({
      at: top.at,
      field: 'version',
      message: 'the file does not say its version',
      fix: `begin it with version: ${fileVersion}`,
    })
  else if (version.value.kind !== 'text' || version.value.text !== fileVersion)
    report({
      at: version.value.at,
      field: 'version',
      message: `version ${version.value.kind === 'text' ? `"${version.value.text}"` : version.value.kind} is not known`,
      fix: `write version: ${fileVersion}, or use a newer lakejobs`,
    })
}

/** Each entry of a map of names, once, with the path to it. */
function namedEntries(
  entry: Entry | undefined,
  field: string,
  report: Report,
): (readonly [name: string, entry: Entry, field: string])[] {
  if (entry === undefined) return []
  const seen = new Map<string, Entry>()
  for (const one of entriesOf(entry.value, field, report)) {
    const before = seen.get(one.key)
    if (before !== undefined) reportTwice(one, before, pathOf(field, one.key), report)
    else seen.set(one.key, one)
  }
  return [...seen].map(([name, one]) => [name, one, pathOf(field, name)])
}

function readTables(
  entry: Entry | undefined,
  read: (
    value: Value,
    field: string,
    key: TableKey | undefined,
  ) => Pick<ConfiguredTable, 'about' | 'options'>,
  reportOf: (key: TableKey | undefined) => Report,
): ConfiguredTable[] {
  const seen = new Map<string, Entry>()
  return namedEntries(entry, 'tables', reportOf(undefined)).flatMap(
    ([name, one, field]): ConfiguredTable[] => {
      const key = keyOf(name, field, one, reportOf(undefined))
      const sections = read(one.value, field, key)
      if (key === undefined) return []
      const report = reportOf(key)
      // `shop.orders` and `"shop"."orders"` are one.
      const same = key.isPattern ? `${name.toLowerCase()}*` : printTable(key.table)
      const before = seen.get(same)
      if (before !== undefined) reportTwice(one, before, field, report)
      seen.set(same, one)
      checkTarget(key, sections.about, field, report)
      return [{ key, line: one.at.line, ...sections }]
    },
  )
}

function keyOf(name: string, field: string, { at }: Entry, report: Report): TableKey | undefined {
  try {
    return parseTableKey(name, field)
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    report({ at, field, message: error.message, fix: error.fix ?? '' })
    return undefined
  }
}
