import type { Config } from '../../config/config.ts'
import type { JobContext } from '../../context.ts'
import { asError, decisive, usageError } from '../../errors.ts'
import { tablePairs } from '../../export/target/names.ts'
import { allTables } from '../../iceberg/catalog/all-tables.ts'
import { tableText, type Catalog, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { withoutQuotes } from '../../lake/find-tables.ts'
import { plainName } from '../../lake/plain-places.ts'
import { failedTable, outcomeOf, withOutcome, type Outcome, type TableSummary } from '../../summary.ts'
import { managedTables } from '../../verify/managed-tables.ts'
import type { VerifiedTable } from '../../verify/options.ts'
import type { Asked } from './lake-table-flags.ts'
import { lakeTables } from './lake-tables.ts'
import { mainNamespace } from '../../settings/namespace.ts'

/** Tables by their source, '' for the main one; undefined: all that exports made. */
export type Parts = readonly (readonly [source: string, tables: readonly VerifiedTable[] | undefined])[]

/** The tables by the source that a file has them of: each is compared with its own. */
export async function partsOf(
  values: Asked,
  catalog: Catalog,
  context: JobContext,
): Promise<{ readonly config: Config | undefined; readonly bySource: Parts }> {
  const namespace = mainNamespace(context.env)
  const { config, names, missing, sourceOf } = await lakeTables(values, 'verify', catalog, context)
  const asked = names && (await tablesOf([...names, ...missing], catalog, namespace))
  if (config === undefined) return { config, bySource: [['', asked]] }
  const bySource = new Map<string, VerifiedTable[]>()
  for (const table of asked ?? (await managedTables(catalog, namespace))) {
    const { source = '' } = sourceOf(table.target) ?? {}
    bySource.set(source, [...(bySource.get(source) ?? []), table])
  }
  if (bySource.size === 0)
    throw usageError('there is no table to verify', {
      field: values.group === undefined ? '--all-tables' : '--group',
      fix: `name some ${values.group === undefined ? '' : 'of the group '}under tables in ${config.file}${values.group === undefined ? ', or give --all-tables' : ''}`,
    })
  return { config, bySource: [...bySource] }
}

/** A source that is away fails its own tables only. */
export async function inParts(
  parts: Parts,
  verify: (source: string, tables: readonly VerifiedTable[] | undefined) => Promise<Outcome>,
  outcomeFor: (tables: readonly TableSummary[]) => Outcome,
  { signal }: JobContext,
): Promise<Outcome> {
  const summaries: TableSummary[] = []
  const failures: Error[] = []
  for (const [source, tables = []] of parts) {
    try {
      summaries.push(...((await verify(source, tables)).tables ?? []))
    } catch (error) {
      signal.throwIfAborted()
      failures.push(asError(error))
      summaries.push(
        ...(outcomeOf(error).tables ?? tables.map(({ target }) => failedTable(tableText(target), error))),
      )
    }
  }
  const outcome = outcomeFor(summaries)
  if (failures.length > 0) throw withOutcome(decisive(failures), outcome)
  return outcome
}

/** Names of tables of the lake; others are those of the source, as exports take them. */
async function tablesOf(
  texts: readonly string[],
  catalog: Catalog,
  namespace: string,
): Promise<VerifiedTable[]> {
  const known = new Map((await allTables(catalog)).map((table) => [tableText(table), table]))
  const tableOf = (text: string): TableIdentifier | undefined =>
    known.get(text) ?? known.get(withoutQuotes(text))
  const named = texts.flatMap((text) => tableOf(text) ?? [])
  const pairs = tablePairs(
    texts.filter((text) => tableOf(text) === undefined),
    namespace,
  )
  return [
    ...named.map((target) => ({ target, folder: plainName(target, namespace), source: undefined })),
    ...pairs,
  ]
}
