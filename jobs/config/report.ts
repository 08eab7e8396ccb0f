import { listed, nearest, usageError } from '../errors.ts'
import type { OptionTable } from '../options/options.ts'
import { emptyConfig, type Config } from './config.ts'
import { effectiveOptions, tableFacts, type OptionSources, type Origin } from './effective.ts'
import { groupKeys } from './keys.ts'
import { textOf } from './section.ts'
import type { TableKey } from './table-key.ts'

/** What is effective: plain data, as `lakejobs config --json` prints it. */
export interface ConfigReport {
  /** Null: there is none. */
  readonly file: string | null
  /** The name of the catalog that the tables are in. */
  readonly catalog: string
  readonly groups: readonly GroupReport[]
}

export interface GroupReport {
  readonly name: string
  readonly schedule: string | null
  readonly timezone: string
  readonly owner: string | null
  readonly deadline: string | null
  readonly pool: string | null
  readonly maxActiveTasks: number | null
  readonly tables: readonly TableReport[]
}

export interface TableReport {
  /** `[source/]schema.table`, or a pattern: what `export --table` takes. */
  readonly table: string
  readonly isPattern: boolean
  /** Of a pattern: what more exact keys of the file say, and are not of it; what `export --exclude` takes. */
  readonly exclude?: readonly string[]
  readonly source: string | null
  /** `namespace.table` in the lake. */
  readonly target: string
  readonly enabled: boolean
  /** Of the file; null where the table stands in none. */
  readonly line: number | null
  /** Every option that has a value, as a flag takes it. */
  readonly options: Readonly<
    Record<string, { readonly value: unknown; readonly from: Origin['layer']; readonly line?: number }>
  >
}

export interface ReportContext extends Pick<OptionSources, 'env' | 'originOf'> {
  /** Those of the export that a file may give. */
  readonly options: OptionTable
  /** The lake's, for tables of the main source's `public`. */
  readonly namespace: string
  readonly catalog: string
}

/** A table, and its name in the lake where that is said elsewhere than in a file. */
export interface ReportedTable {
  readonly key: TableKey
  readonly target?: string | undefined
}

/** What a file, or without one the environment, comes to for `tables`: of `group` alone, or of all groups. */
export function configReport(
  config: Config | undefined,
  context: ReportContext,
  { group, tables }: { readonly group: string | undefined; readonly tables: readonly ReportedTable[] },
): ConfigReport {
  const { file, groups } = config ?? emptyConfig
  const all = tables.map((table) => tableReport(config, context, table))
  return {
    file: config === undefined ? null : file,
    catalog: context.catalog,
    groups: [...groups.values()]
      .filter(({ name }) => group === undefined || name === group)
      .map(({ name, about }) => {
        const text = (key: keyof typeof groupKeys): string | null => textOf(about, key) ?? null
        const most = text('max-active-tasks')
        return {
          name,
          schedule: text('schedule'),
          timezone: text('timezone') ?? groupKeys.timezone.default,
          owner: text('owner'),
          deadline: text('deadline'),
          pool: text('pool'),
          maxActiveTasks: most === null ? null : Number(most),
          tables: all.filter((one) => one.group === name).map(({ table }) => table),
        }
      }),
  }
}

function tableReport(
  config: Config | undefined,
  { options, env, originOf, namespace }: ReportContext,
  { key, target }: ReportedTable,
): { readonly group: string; readonly table: TableReport } {
  const facts = tableFacts(config ?? emptyConfig, key.table, namespace)
  const { words, origins } = effectiveOptions(options, {
    flags: {},
    table: facts.sections,
    group: facts.group.options,
    env,
    originOf,
    defaults: config?.defaults ?? new Map(),
    hasFile: config !== undefined,
  })
  return {
    group: facts.group.name,
    table: {
      table: key.text,
      isPattern: key.isPattern,
      ...(key.isPattern && { exclude: moreExact(config, key) }),
      source: key.table.source === '' ? null : key.table.source,
      target: target ?? `${facts.target.namespace}.${facts.target.name}`,
      enabled: facts.enabled,
      line: config?.tables.find((one) => one.key === key)?.line ?? facts.line ?? null,
      options: Object.fromEntries(
        Object.entries(origins).map(([name, { layer, line: at }]) => [
          name,
          { value: words[name], from: layer, ...(at !== undefined && { line: at }) },
        ]),
      ),
    },
  }
}

/** Keys that do not fit a pattern's own text: tables of it that fit one of them are said there. */
const moreExact = (config: Config | undefined, pattern: TableKey): string[] =>
  (config?.tables ?? []).filter(({ key }) => !key.matches(pattern.table)).map(({ key }) => key.text)

/** Errors: usage. */
export function assertGroup({ file, groups }: Config, group: string): void {
  if (groups.has(group)) return
  const names = [...groups.keys()]
  const near = nearest(names, group)
  throw usageError(
    `--group: ${file === '' ? 'there is no file with a' : `${file} has no`} group "${group}"`,
    {
      field: '--group',
      fix: near.length > 0 ? `did you mean ${near.join(' or ')}?` : `give one of ${listed(names)}`,
    },
  )
}
