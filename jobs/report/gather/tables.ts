import { freshnessOf, type Freshness } from '../../check/freshness.ts'
import { mapConcurrently } from '../../concurrency.ts'
import { asError, JobError } from '../../errors.ts'
import { tableText, type Catalog, type Table, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import type { SourceOf } from '../../provenance/source.ts'
import { look } from '../../inspect/look.ts'
import type { TableReport } from '../../inspect/report-schema.ts'
import { reportOf } from '../../inspect/report.ts'
import { storageReport } from '../../inspect/storage/split.ts'
import { survey } from '../../inspect/storage/survey.ts'
import { currentState } from '../../lake/snapshot-choice.ts'
import { ownTables } from '../../provenance/managed.ts'
import type { Run } from '../../summary.ts'
import { wrongRows, type WrongRows } from '../model/wrong-rows.ts'
import { eventsIn, exportsOf, maintainedMs, type TableEvent } from './events.ts'

/** What is known of a table of the catalog. */
export interface LakeTable {
  readonly name: string
  readonly table: Table
  readonly looked: TableReport
  readonly freshness: Freshness
  /** Oldest first. */
  readonly events: readonly TableEvent[]
  readonly maintainedMs: number | undefined
  /** By the last verify of them. */
  readonly wrong: WrongRows | undefined
}

/** One whose metadata or manifests cannot be read. */
export interface UnreadTable {
  readonly name: string
  readonly error: string
  readonly fix: string | undefined
}

export interface TablesRequest {
  readonly catalog: Catalog
  readonly runs: readonly Run[]
  /** The instant up to which freshness is judged. */
  readonly asOfMs: number
  readonly nowMs: number
  /** How old the last export of a table that is exported as a whole may be. */
  readonly ageMs: number
  readonly sourceOf: SourceOf
  readonly signal: AbortSignal
}

const tablesAtOnce = 4

/** Looks at every table of ours in the catalog; reads no data file. Errors: those of the catalog. */
export async function lakeTables(request: TablesRequest): Promise<(LakeTable | UnreadTable)[]> {
  const names = await ownTables(request.catalog)
  const wrong = new Map(wrongRows(request.runs).map((rows) => [rows.table, rows]))
  return mapConcurrently(names, tablesAtOnce, async (identifier) => {
    request.signal.throwIfAborted()
    try {
      return await lakeTable(request, identifier, wrong)
    } catch (thrown) {
      request.signal.throwIfAborted()
      const error = asError(thrown)
      return {
        name: tableText(identifier),
        error: error.message,
        fix: error instanceof JobError ? error.fix : undefined,
      }
    }
  })
}

async function lakeTable(
  { catalog, runs, asOfMs, nowMs, ageMs, sourceOf, signal }: TablesRequest,
  identifier: TableIdentifier,
  wrong: ReadonlyMap<string, WrongRows>,
): Promise<LakeTable> {
  const table = await catalog.load(identifier)
  const name = tableText(identifier)
  const exports = runs.filter(({ job }) => job === 'export')
  const found = await freshnessOf(table, exports, 0, asOfMs)
  const judged = { ...found, source: sourceOf(identifier) ?? found.source }
  const looked = await look(table, currentState, new Date(nowMs))
  const storage = storageReport(await survey(catalog, table, nowMs, signal), nowMs)
  const views = { files: false, snapshots: false, partitions: false, storage: true, tree: false }
  const { exportedMs } = judged
  const left = eventsIn(runs, name)
  const known = new Set(left.flatMap(({ kind, runId }) => (kind === 'exported' ? (runId ?? []) : [])))
  const events = [
    ...left,
    ...exportsOf(table.metadata).filter(({ runId }) => runId === undefined || !known.has(runId)),
  ]
  return {
    name,
    table,
    looked: reportOf(looked, views, catalog.name, { storage, source: judged.source }),
    freshness: judged.isByDay
      ? judged
      : { ...judged, isLate: exportedMs === undefined || asOfMs - exportedMs > ageMs },
    events: events.sort((a, b) => a.ms - b.ms),
    maintainedMs: maintainedMs(table.metadata),
    wrong: wrong.get(name),
  }
}
