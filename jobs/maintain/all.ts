import { mapConcurrently } from '../concurrency.ts'
import type { JobContext } from '../context.ts'
import { asError, dataError, JobError, shellWord } from '../errors.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { branchSnapshot, mainBranch, snapshotById, type Snapshot } from '../iceberg/metadata/metadata.ts'
import { readFooter } from '../lake/footer/footer.ts'
import { planRead } from '../lake/read-plan.ts'
import type { Retention } from '../lake/upkeep/retention.ts'
import type { Maintained } from '../summary.ts'
import { compactTable, type CompactOptions } from './compact/compact.ts'
import { expireTable, type MaintainStores } from './expire.ts'
import { removeOrphans, type OrphanOptions } from './orphans.ts'

export interface AllOptions {
  readonly compact: CompactOptions
  readonly retention: Retention
  readonly orphans: OrphanOptions
}

/** What was done, and what stopped it or is to be reported at its end. */
export interface MaintainedAll {
  readonly maintained: Maintained
  readonly failure: Error | undefined
}

/** One step, and its table as it is before it. */
type Step = (table: Table) => Promise<Maintained>

/**
 * Compacts a table, expires its snapshots and tells or removes its orphans, in this order (lake-spec §4.2). Ahead of the first
 * step and after each the rows of the newest snapshot are counted, by the footers of all its files: other counts than the step
 * explains, and a file that is not there, stop it. A table that cannot be compacted has the other steps all the same.
 */
export async function maintainAll(
  loaded: Table,
  { compact, retention, orphans }: AllOptions,
  dryRun: boolean,
  stores: MaintainStores,
  context: JobContext,
): Promise<MaintainedAll> {
  const { catalog } = stores
  const all: readonly Step[] = [
    (table) => context.during('compact', () => compactTable(table, compact, dryRun, catalog, context)),
    (table) => context.during('expire', () => expireTable(table, retention, dryRun, stores, context)),
    (table) =>
      context.during('orphans', () =>
        removeOrphans(table, { ...orphans, isDelete: orphans.isDelete && !dryRun }, stores, context),
      ),
  ]
  const steps: Maintained[] = []
  let failure: Error | undefined
  try {
    let table = loaded
    let before = await countRows(table)
    for (const step of all) {
      let done: Maintained | undefined
      try {
        done = await step(table)
        steps.push(done)
      } catch (error) {
        const isRefused = step === all[0] && error instanceof JobError && error.code === 'data'
        if (!isRefused) throw error
        failure = error
      }
      context.signal.throwIfAborted()
      table = await catalog.load(loaded.identifier)
      const after = await countRows(table)
      assertSameRows(table, before, after, done)
      before = after
    }
  } catch (error) {
    context.signal.throwIfAborted()
    failure = asError(error)
  }
  return { maintained: { operation: 'all', dryRun, files: [], steps }, failure }
}

interface Counted {
  readonly snapshot: Snapshot | undefined
  /** Those in the files, deleted ones included. */
  readonly rows: number
}

const footersAtOnce = 8

/** By the footers of all live files. Errors: those of `readFooter`. */
async function countRows(table: Table): Promise<Counted> {
  const { files, snapshot } = await planRead(
    { ...table, name: tableText(table.identifier) },
    { tolerant: true },
  )
  const counts = await mapConcurrently(files, footersAtOnce, async ({ file }) =>
    file.fileFormat === 'PARQUET' ? (await readFooter(table.io, file)).rows : file.recordCount,
  )
  return { snapshot, rows: counts.reduce((sum, rows) => sum + rows, 0) }
}

/** Rows of a table that nobody else has written to meanwhile; deleted ones go when they are applied. */
function assertSameRows(
  { identifier, metadata }: Table,
  before: Counted,
  after: Counted,
  done: Maintained | undefined,
): void {
  let ours = (done?.rewritten?.commits ?? 0) + (done?.mergedManifests?.commits ?? 0)
  let at = branchSnapshot(metadata, mainBranch)
  for (; ours > 0 && at?.summary['operation'] === 'replace'; ours--)
    at = snapshotById(metadata, at['parent-snapshot-id'])
  if (at?.['snapshot-id'] !== before.snapshot?.['snapshot-id']) return
  const expected = before.rows - (done?.rewritten?.deletedRows ?? 0)
  if (after.rows === expected) return
  const name = tableText(identifier)
  throw dataError(
    `table ${name} has ${after.rows} rows after ${done?.operation ?? 'a step'}, not ${expected}`,
    {
      field: name,
      fix: `take it back: lakejobs maintain rollback --table ${shellWord(name)} --snapshot ${before.snapshot?.['snapshot-id'] ?? ''}`,
    },
  )
}
