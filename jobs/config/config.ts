import { defaultGroup } from './keys.ts'
import type { Section } from './section.ts'
import type { TableKey } from './table-key.ts'

/** A server's database whose tables are exported. */
export interface ConfiguredSource {
  /** Prefix of its environment names. */
  readonly env: string
  /** Undefined: as the environment says. */
  readonly database: string | undefined
}

export interface ConfiguredGroup {
  readonly name: string
  /** By the names of `groupKeys`. */
  readonly about: Section
  readonly options: Section
}

export interface ConfiguredTable {
  readonly key: TableKey
  readonly line: number
  /** By the names of `tableKeys`. */
  readonly about: Section
  readonly options: Section
}

/** A `lakejobs.yaml`, checked. */
export interface Config {
  /** As messages name it. */
  readonly file: string
  /** Without the one of `POSTGRES_*`, which is always there. */
  readonly sources: ReadonlyMap<string, ConfiguredSource>
  /** With `daily`, which is always there. */
  readonly groups: ReadonlyMap<string, ConfiguredGroup>
  readonly tables: readonly ConfiguredTable[]
  readonly defaults: Section
}

/** Where there is no file. */
export const emptyConfig: Config = {
  file: '',
  sources: new Map(),
  groups: new Map([[defaultGroup, { name: defaultGroup, about: new Map(), options: new Map() }]]),
  tables: [],
  defaults: new Map(),
}
