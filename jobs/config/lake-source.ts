import type { Config } from './config.ts'
import { tableFacts, type TableFacts } from './effective.ts'
import { mainSource, type SourceTable } from './table-key.ts'

/** A table of the lake, and what a file exports into it. */
export interface FedTable {
  readonly source: SourceTable
  readonly facts: TableFacts
}

/** A table of the lake, its namespace's levels joined by dots. */
interface LakeName {
  readonly namespace: string
  readonly name: string
}

/**
 * What a file exports into a table of the lake, by its keys alone: no source is asked, so that a table of the lake is found whose
 * source is away or has lost it. Undefined: no key of the file is about it.
 *
 * @param namespace the lake's for the main source's `public`
 */
export function feedOf(config: Config, target: LakeName, namespace: string): FedTable | undefined {
  const fits = (source: SourceTable): FedTable | undefined => {
    const facts = tableFacts(config, source, namespace)
    const isIt = facts.target.namespace === target.namespace && facts.target.name === target.name
    return isIt && config.tables.some(({ key }) => key.matches(source)) ? { source, facts } : undefined
  }
  const exact = config.tables.flatMap(({ key }) => (key.isPattern ? [] : [key.table]))
  const likely = [
    ...exact,
    ...schemasOf(config, target, namespace).map((one) => ({ ...one, name: target.name })),
  ]
  for (const source of likely) {
    const found = fits(source)
    if (found !== undefined) return found
  }
  return undefined
}

/** Sources and schemas whose tables go to a namespace: by their names, and where a pattern says `namespace`. */
function schemasOf(
  { sources, tables }: Config,
  target: LakeName,
  namespace: string,
): Omit<SourceTable, 'name'>[] {
  const named = [...sources.keys()].flatMap((source) => [
    ...(target.namespace === source ? [{ source, schema: 'public' }] : []),
    ...(target.namespace.startsWith(`${source}_`)
      ? [{ source, schema: target.namespace.slice(source.length + 1) }]
      : []),
  ])
  const main = { source: mainSource, schema: target.namespace === namespace ? 'public' : target.namespace }
  const said = tables.flatMap(({ key, about }) =>
    about.has('namespace')
      ? [mainSource, ...sources.keys()].map((source) => ({ source, schema: key.table.schema }))
      : [],
  )
  return [main, ...named, ...said]
}
