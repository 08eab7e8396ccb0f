import { emptyConfig, type Config } from '../../config/config.ts'
import { tableFacts } from '../../config/effective.ts'
import { feedOf, type FedTable } from '../../config/lake-source.ts'
import { assertGroup } from '../../config/report.ts'
import { parseTableKey, printTable, type SourceTable } from '../../config/table-key.ts'
import type { JobContext } from '../../context.ts'
import { JobError, listed } from '../../errors.ts'
import { allTables } from '../../iceberg/catalog/all-tables.ts'
import { tableText, type Catalog, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { ownTables } from '../../provenance/managed.ts'
import type { SourceOf } from '../../provenance/source.ts'
import { loadConfig } from './config-file.ts'
import { assertOnce, type Asked } from './lake-table-flags.ts'
import { mainNamespace } from '../../settings/namespace.ts'

/** Where no flag says which tables: `inspect` means all of the catalog, the others those of a file. */
export type Use = 'verify' | 'maintain' | 'inspect'

/** Tables of the lake and a file. */
export interface LakeTables {
  /** Undefined: there is no file. */
  readonly config: Config | undefined
  /** Names as `--table` takes them, those of the sources among them turned into the lake's; undefined: all. */
  readonly names: readonly string[] | undefined
  /** Exact names of the file that is meant, or of its group, that the lake has no table of. */
  readonly missing: readonly string[]
  /** What the file exports into a table of the lake. */
  readonly sourceOf: (target: TableIdentifier) => SourceTable | undefined
}

/**
 * Which tables of the lake are asked for, by flags and file. No source is asked, and what is wrong with single tables or groups of
 * the file stops nothing, unless it is the group that is asked for. Where the file alone says which, that is told. Errors: usage.
 */
export async function lakeTables(
  asked: Asked,
  use: Use,
  catalog: Catalog,
  context: JobContext,
): Promise<LakeTables> {
  const { config: file, group, table, 'all-tables': isAll } = asked
  assertOnce(asked)
  const namespace = mainNamespace(context.env)
  const isNamed = group !== undefined || table !== undefined
  const isFileMeant = !isNamed && use !== 'inspect' && isAll !== true
  // Which source a table came of, only a file says.
  const isForSources = use === 'verify'
  const there = isNamed || isFileMeant ? await allTables(catalog) : []
  const texts = there.map(tableText)
  const isKnown =
    !isForSources && group === undefined && table?.every((name) => texts.includes(name)) === true
  const isFileLeft = isKnown || (!isNamed && !isForSources && !isFileMeant)
  const config = isFileLeft ? undefined : await loadConfig(file, context, group ?? '')
  if (group !== undefined) assertGroup(config ?? emptyConfig, group)
  const feed = (target: TableIdentifier): FedTable | undefined =>
    config && feedOf(config, { namespace: target.namespace.join('.'), name: target.name }, namespace)
  const sourceOf = (target: TableIdentifier): SourceTable | undefined => feed(target)?.source
  if (config === undefined || (group === undefined && !isFileMeant))
    return {
      config,
      names: config && table ? table.map((name) => lakeName(config, name, texts, namespace)) : table,
      missing: [],
      sourceOf,
    }
  const isMeant = ({ facts }: Pick<FedTable, 'facts'>): boolean =>
    facts.enabled && (group === undefined || facts.group.name === group)
  const fed = there.filter((target) => {
    const found = feed(target)
    return found !== undefined && isMeant(found)
  })
  const exact = config.tables.flatMap(({ key }) => {
    const facts = tableFacts(config, key.table, namespace)
    return !key.isPattern && isMeant({ facts }) ? [`${facts.target.namespace}.${facts.target.name}`] : []
  })
  const isExact = (target: TableIdentifier): boolean => exact.includes(tableText(target))
  // Beside those of a pattern another program may have put its own.
  const own = isForSources
    ? await ownTables(
        catalog,
        fed.filter((target) => !isExact(target)),
      )
    : fed
  const names = fed.filter((target) => isExact(target) || own.includes(target))
  if (isFileMeant) {
    const left = await ownTables(
      catalog,
      there.filter((one) => !names.includes(one)),
    )
    context.logger.info(
      `the tables of ${config.file}${left.length === 0 ? '' : `; not ${listed(left.map(tableText))}, which it does not name (--all-tables: those, too)`}`,
    )
  }
  return {
    config,
    names: names.map(tableText),
    missing: exact.filter((name) => !texts.includes(name)),
    sourceOf,
  }
}

/** What a file says, for commands that are to be followed; of one that cannot be read `check` and `config` tell. */
export async function sourceNames(file: string | undefined, context: JobContext): Promise<SourceOf> {
  const quiet = { ...context, logger: context.logger.child({}, { level: 'silent' }) }
  const config = await loadConfig(file, quiet, '').catch((error: unknown) => {
    if (error instanceof JobError) return undefined
    throw error
  })
  const main = mainNamespace(context.env)
  return ({ namespace, name }) => {
    const fed = config && feedOf(config, { namespace: namespace.join('.'), name }, main)
    return fed && printTable(fed.source)
  }
}

/** Of `[source/]schema.table` that a key of the file fits; other names stay as they are. */
function lakeName(config: Config, name: string, there: readonly string[], namespace: string): string {
  if (there.includes(name) || name.includes('=')) return name
  const { isPattern, table } = parseTableKey(name, '--table')
  if (isPattern || !config.tables.some(({ key }) => key.matches(table))) return name
  const { target } = tableFacts(config, table, namespace)
  return `${target.namespace}.${target.name}`
}
