import type { JobContext } from '../context.ts'
import { asError, dataError, decisive, JobError, listed } from '../errors.ts'
import { tableText, type Catalog, type TableIdentifier } from '../iceberg/catalog/catalog.ts'
import { allTables } from '../iceberg/catalog/all-tables.ts'
import { findTables } from '../lake/find-tables.ts'
import { currentState } from '../lake/snapshot-choice.ts'
import { look } from './look.ts'
import type { InspectOptions } from './options.ts'
import { reportOf } from './report.ts'
import { objectsReport } from './storage/objects.ts'
import { plainObjects, type PlainPlace } from './storage/plain-files.ts'
import { storageReport } from './storage/split.ts'
import { survey } from './storage/survey.ts'
import { countText } from './text/words.ts'
import type { FailedTable, InspectReport, TableReport } from './report-schema.ts'

export interface InspectStores {
  readonly catalog: Catalog
  readonly plain: PlainPlace
}

export interface Inspection {
  readonly report: InspectReport
  /** What was wrong with tables that could not be looked at, or lack files; the others are in the report all the same. */
  readonly failure: Error | undefined
}

/**
 * Looks at tables of a catalog (lake-spec §3.1): reads metadata and manifests and, where the views ask for it, lists folders; reads no data file and changes nothing. Errors:
 * those of a catalog that is away or has no such table; of a single table those are in the inspection.
 */
export async function inspectTables(
  options: InspectOptions,
  stores: InspectStores,
  context: Pick<JobContext, 'now' | 'signal'>,
): Promise<Inspection> {
  const { catalog } = stores
  const { now, signal } = context
  const { tables: names, namespace } = options
  const identifiers =
    names === undefined ? await allTables(catalog) : await findTables(catalog, names, namespace)
  const tables: (TableReport | FailedTable)[] = []
  const failures: Error[] = []
  for (const identifier of identifiers) {
    signal.throwIfAborted()
    try {
      const report = await inspectTable(options, stores, identifier, context)
      tables.push(report)
      const loss = lossOf(report)
      if (loss !== undefined) failures.push(loss)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(asError(error))
      tables.push(failed(identifier, asError(error)))
    }
  }
  return {
    report: { at: now().toISOString(), catalog: catalog.name, tables },
    failure: failures.length === 0 ? undefined : decisive(failures),
  }
}

async function inspectTable(
  { choice, views, namespace, sourceOf }: InspectOptions,
  { catalog, plain }: InspectStores,
  identifier: TableIdentifier,
  { now, signal }: Pick<JobContext, 'now' | 'signal'>,
): Promise<TableReport> {
  const table = await catalog.load(identifier)
  const looked = await look(table, choice, now())
  const source = sourceOf(identifier)
  if (!views.storage && !views.tree) return reportOf(looked, views, catalog.name, { source })
  const { nowMs } = looked
  const surveyed = await survey(catalog, table, nowMs, signal)
  return reportOf(looked, views, catalog.name, {
    source,
    storage: storageReport(surveyed, nowMs),
    ...(views.tree && {
      tree: objectsReport(
        surveyed,
        choice === currentState ? looked.plan : (await look(table, currentState, now())).plan,
        await plainObjects(plain, identifier, namespace),
      ),
    }),
  })
}

/** What a table lacks: rows that nobody can read any more. */
function lossOf({ table, storage }: TableReport): Error | undefined {
  if (storage === undefined || storage.missingFiles + storage.otherSizeFiles === 0) return undefined
  const { missingFiles, missing, otherSizeFiles, otherSize } = storage
  const what =
    missingFiles > 0
      ? `${countText(missingFiles, 'file')} that it needs ${missingFiles === 1 ? 'is' : 'are'} not there: ${listed(missing)}`
      : `${countText(otherSizeFiles, 'file')} of another size than its manifests say: ${listed(otherSize)}`
  return dataError(`table ${table}: ${what}`, {
    field: table,
    fix: 'bring them back from a backup, or do what the verdict says',
  })
}

function failed(identifier: TableIdentifier, error: Error): FailedTable {
  const { code, fix } = error instanceof JobError ? error : { code: 'failed', fix: undefined }
  return {
    table: tableText(identifier),
    error: { code, message: error.message, ...(fix !== undefined && { fix }) },
  }
}
