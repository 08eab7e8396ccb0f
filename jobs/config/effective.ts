import type { OptionSpec, OptionTable } from '../options/options.ts'
import type { Config, ConfiguredGroup, ConfiguredTable } from './config.ts'
import { defaultGroup } from './keys.ts'
import { textOf, type Section } from './section.ts'
import { mainSource, type SourceTable } from './table-key.ts'
import { booleanOf } from '../options/boolean.ts'

/** Who said a value, the strongest first. */
export const layers = ['flag', 'table', 'group', 'environment', '.env', 'defaults', 'default'] as const

export interface Origin {
  readonly layer: (typeof layers)[number]
  /** In the file. */
  readonly line?: number
}

/** What a file says of one table. */
export interface TableFacts {
  readonly group: ConfiguredGroup
  readonly enabled: boolean
  /** A key of the file has its very name. */
  readonly isNamed: boolean
  /** Of the most exact key that fits it. */
  readonly line: number | undefined
  /** The lake's namespace and name. */
  readonly target: { readonly namespace: string; readonly name: string }
  /** Options of every key that fits it, the most exact first. */
  readonly sections: readonly Section[]
}

/** What options are taken from. */
export interface OptionSources {
  /** By option name, as the command line gave them. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly table: readonly Section[]
  readonly group: Section
  readonly env: Readonly<Record<string, string>>
  readonly originOf: (name: string) => 'flag' | 'environment' | '.env' | 'default'
  readonly defaults: Section
  readonly hasFile: boolean
}

export interface EffectiveOptions {
  /** What a flag would be given, for `resolveOptions` without an environment. */
  readonly words: Readonly<Record<string, unknown>>
  /** Of every option that has a value. */
  readonly origins: Readonly<Record<string, Origin>>
}

/** With a file a table is one of Iceberg, if nothing says otherwise. */
const fileDefaults: Readonly<Record<string, string>> = { format: 'iceberg' }

/** Each option by the strongest that says it (tables-spec §1.1). */
export function effectiveOptions(options: OptionTable, sources: OptionSources): EffectiveOptions {
  const words: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  for (const [name, spec] of Object.entries(options)) {
    const found = foundIn(name, spec.env, sources)
    const value =
      allOf(name, spec, sources) ??
      found?.words ??
      (sources.hasFile ? fileDefaults[name] : undefined) ??
      spec.default
    if (value === undefined) continue
    words[name] = value
    origins[name] = found?.origin ?? { layer: 'default' }
  }
  return { words, origins }
}

/** What every place says together, of an option that nobody can take back. */
function allOf(
  name: string,
  spec: OptionSpec,
  { flags, table, group, env, defaults }: OptionSources,
): unknown {
  if (spec.kind !== 'list' || spec.adds !== true) return undefined
  const sections = [...table, group, defaults].map((section) => section.get(name)?.words)
  const all = [flags[name], ...sections, spec.env && env[spec.env]]
    .flat()
    .filter((words) => words !== undefined)
  return all.length === 0 ? undefined : all
}

function foundIn(
  name: string,
  envName: string | undefined,
  { flags, table, group, env, originOf, defaults }: OptionSources,
): { readonly words: unknown; readonly origin: Origin } | undefined {
  if (flags[name] !== undefined) return { words: flags[name], origin: { layer: 'flag' } }
  const inFile = (layer: Origin['layer'], section: Section) => {
    const given = section.get(name)
    return given && { words: given.words, origin: { layer, line: given.at.line } }
  }
  for (const section of table) {
    const own = inFile('table', section)
    if (own !== undefined) return own
  }
  const ofGroup = inFile('group', group)
  if (ofGroup !== undefined) return ofGroup
  const fromEnv = envName === undefined ? undefined : env[envName]
  if (fromEnv !== undefined && envName !== undefined)
    return {
      words: fromEnv,
      origin: { layer: originOf(envName) === '.env' ? '.env' : 'environment' },
    }
  return inFile('defaults', defaults)
}

/** What the file says of a table, or of a pattern's own text. `namespace`: the lake's for the main source's `public`. */
export function tableFacts(config: Config, table: SourceTable, namespace: string): TableFacts {
  const fitting = config.tables.filter(({ key }) => key.matches(table)).toSorted(byExactness)
  const said = (name: string): string | undefined => {
    const entry = fitting.find(({ about }) => about.has(name))
    return entry && textOf(entry.about, name)
  }
  const target = said('target')
  return {
    group: config.groups.get(said('group') ?? defaultGroup)!,
    enabled: booleanOf(said('enabled') ?? 'true') ?? true,
    isNamed: fitting.some(({ key }) => !key.isPattern),
    line: fitting[0]?.line,
    target:
      target === undefined
        ? { namespace: said('namespace') ?? usualNamespace(table, namespace), name: table.name }
        : {
            namespace: target.slice(0, target.lastIndexOf('.')),
            name: target.slice(target.lastIndexOf('.') + 1),
          },
    sections: fitting.map(({ options }) => options),
  }
}

/** An exact name before patterns, a longer pattern before a shorter, of two of one length the later. */
function byExactness(one: ConfiguredTable, other: ConfiguredTable): number {
  return (
    Number(one.key.isPattern) - Number(other.key.isPattern) ||
    other.key.text.length - one.key.text.length ||
    other.line - one.line
  )
}

const usualNamespace = ({ source, schema }: SourceTable, namespace: string): string => {
  if (source === mainSource) return schema === 'public' ? namespace : schema
  return schema === 'public' ? source : `${source}_${schema}`
}
