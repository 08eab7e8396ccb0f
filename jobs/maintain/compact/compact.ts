import { randomUUID } from 'node:crypto'
import { effectsOf, type JobContext } from '../../context.ts'
import { dataError, JobError } from '../../errors.ts'
import { tableText, type Catalog, type Table } from '../../iceberg/catalog/catalog.ts'
import { ValidationError } from '../../iceberg/errors.ts'
import { planRead, type ReadPlan } from '../../lake/read-plan.ts'
import {
  planCompaction,
  whyNotCompacted,
  type CompactionOptions,
  type CompactionPlan,
} from '../../lake/upkeep/compaction.ts'
import { openScratch } from '../../storage/scratch.ts'
import type { Maintained } from '../../summary.ts'
import { none, plus, type Amount } from '../tally.ts'
import { batchesOf, nothingMore, type Batch } from './batches.ts'
import { commitBatch } from './commit-batch.ts'
import { mergeTableManifests, plannedMerge, type Merged } from './merge-manifests.ts'
import { openRewriting, type Rewriting } from './rewriting.ts'

export interface CompactOptions extends CompactionOptions {
  /** A local folder, a path. */
  readonly scratch: string
  /** Bytes of an object store that may be brought there at once. */
  readonly maxDownload: number
  /** What is committed at once, beside a group that is larger. */
  readonly batchBytes?: number
}

/** Others may come between so often; each time it is planned anew. */
const mostConflicts = 5
/** What is put together can make more to be put together: of large partitions the rests. */
const mostRounds = 4

interface Done {
  from: Amount
  to: Amount
  rows: number
  deletedRows: number
  commits: number
  replanned: number
  merged?: Merged | undefined
}

/**
 * Puts the rows of small, too large and partly deleted files of `main` into files of the target size (lake-spec §4.5), batch by
 * batch, each committed for itself: whoever kills it loses the batch. Small manifests are put together at the end. It deletes nothing that was committed; `expire` does.
 * What others commit meanwhile wins: then the rest is planned anew. `dryRun` makes the plan alone. Errors: `JobError` data,
 * before anything is written, for what cannot be read or written exactly; those of `commitSnapshot`, where an outcome that is
 * not known leaves the files where they are.
 */
export async function compactTable(
  loaded: Table,
  options: CompactOptions,
  dryRun: boolean,
  catalog: Catalog,
  context: JobContext,
): Promise<Maintained> {
  const done: Done = { from: none, to: none, rows: 0, deletedRows: 0, commits: 0, replanned: 0 }
  const first = await planOf(loaded, options)
  if (dryRun)
    return summarise(first, first, options, true, {
      ...plannedBy(first.plan),
      merged: plannedMerge(first.table, first.read.manifests),
    })
  const rewritten = await rewriteTable(first, options, catalog, context, done)
  if (plannedMerge(rewritten.table, rewritten.read.manifests) === undefined)
    return summarise(first, rewritten, options, false, done)
  context.signal.throwIfAborted()
  const merging = await mergeTableManifests(rewritten.table, catalog, context)
  const last = merging === undefined ? rewritten : await planOf(merging.table, options)
  return summarise(first, last, options, false, { ...done, merged: merging?.merged })
}

/** The table and its plan when all is done that was to be: what is left is left. Errors: as `compactTable`. */
async function rewriteTable(
  first: Planned,
  options: CompactOptions,
  catalog: Catalog,
  context: JobContext,
  done: Done,
): Promise<Planned> {
  if (nothingMore(first.plan)) return first
  const loaded = first.table
  const name = tableText(loaded.identifier)
  const scratch = await openScratch(options.scratch)
  let rewriting: Rewriting | undefined
  try {
    let at = first
    for (let round = 0; round < mostRounds && !nothingMore(at.plan); round++) {
      rewriting ??= openRewriting(at.table, at.plan, options.maxDownload, scratch.folder, context)
      const isWhole = await rewriteAll(at, rewriting, options, catalog, context, done)
      if (!isWhole && ++done.replanned > mostConflicts)
        throw new ValidationError(name, `others changed table ${name} again and again while it was compacted`)
      if (!isWhole) round--
      const table = await catalog.load(loaded.identifier)
      if (table.metadata['current-schema-id'] !== at.table.metadata['current-schema-id']) {
        await rewriting.close()
        rewriting = undefined
      }
      assertSame(loaded, table)
      at = await planOf(table, { ...options, maxRewrite: options.maxRewrite - done.from.bytes })
    }
    return at
  } finally {
    await rewriting?.close()
    await scratch.remove()
  }
}

interface Planned {
  readonly table: Table
  readonly read: ReadPlan
  readonly plan: CompactionPlan
}

async function planOf(table: Table, options: CompactionOptions): Promise<Planned> {
  const name = tableText(table.identifier)
  const read = await planRead({ ...table, name })
  const refusal = whyNotCompacted(table.metadata, read)
  if (refusal !== undefined)
    throw dataError(`table ${name} is not compacted: ${refusal.why}`, { field: name, fix: refusal.fix })
  return { table, read, plan: planCompaction(table.metadata, read, options) }
}

/** Whether all of the plan is done; otherwise others were in its way. */
async function rewriteAll(
  { table, plan }: Planned,
  rewriting: Rewriting,
  { batchBytes }: CompactOptions,
  catalog: Catalog,
  context: JobContext,
  done: Done,
): Promise<boolean> {
  for (const batch of batchesOf(plan, batchBytes)) {
    const operationId = randomUUID()
    const written = await rewriting.rewrite(batch, table, operationId)
    try {
      const effects = { ...effectsOf(context), uuid: () => operationId }
      await commitBatch(catalog, table, batch, written.files, effects)
    } catch (error) {
      // Whoever does not know whether they are the table's leaves them.
      if (!(error instanceof JobError && error.code === 'unknownCommit')) await written.discard()
      if (!(error instanceof ValidationError)) throw error
      context.signal.throwIfAborted()
      context.logger.info({ table: tableText(table.identifier) }, `${error.message}: planning anew`)
      return false
    }
    add(done, batch, written.files)
    done.rows += written.rows
    done.deletedRows += written.deletedRows
  }
  return true
}

function add(done: Done, { groups }: Batch, files: readonly { readonly fileSizeInBytes: number }[]): void {
  for (const { files: inputs, bytes } of groups) done.from = plus(done.from, { files: inputs.length, bytes })
  done.to = plus(done.to, { files: files.length, bytes: sizeOf(files) })
  done.commits++
}

const sizeOf = (files: readonly { readonly fileSizeInBytes: number }[]): number =>
  files.reduce((bytes, { fileSizeInBytes }) => bytes + fileSizeInBytes, 0)

/** Of a dry run. */
function plannedBy({ groups }: CompactionPlan): Done {
  const bytes = groups.reduce((sum, group) => sum + group.bytes, 0)
  const files = groups.reduce((sum, group) => sum + group.files.length, 0)
  const outputs = groups.reduce((sum, group) => sum + group.outputs, 0)
  const rows = groups.flatMap((group) => group.files).reduce((sum, { file }) => sum + file.recordCount, 0)
  return {
    from: { files, bytes },
    to: { files: outputs, bytes },
    rows,
    deletedRows: 0,
    commits: 0,
    replanned: 0,
  }
}

function assertSame(loaded: Table, current: Table): void {
  if (loaded.metadata['table-uuid'] === current.metadata['table-uuid']) return
  const name = tableText(loaded.identifier)
  throw new ValidationError(name, `table ${name} was replaced by another one of the same name`)
}

function summarise(
  before: Planned,
  after: Planned,
  { maxRewrite }: CompactionOptions,
  dryRun: boolean,
  { from, to, rows, deletedRows, commits, replanned, merged }: Done,
): Maintained {
  const { left, skipped } = after.plan
  const kind = (name: string, amountOf: (planned: Planned) => Amount): Maintained['files'][number] => ({
    kind: name,
    before: amountOf(before),
    after: amountOf(after),
    freed: none,
  })
  const kinds = [
    kind('data', ({ read }) => amountOfFiles(read.files.map(({ file }) => file))),
    kind('deletes', ({ read }) => amountOfFiles(read.deleteFiles.map(({ dataFile }) => dataFile))),
    kind('manifest', ({ read }) => ({
      files: read.manifests.length,
      bytes: read.manifests.reduce((sum, { manifestLength }) => sum + manifestLength, 0),
    })),
  ]
  return {
    operation: 'compact',
    dryRun,
    files: kinds.filter((one) => one.before.files + one.after.files > 0),
    ...(from.files + commits > 0 && {
      rewritten: { from, to, rows, deletedRows, commits, ...(replanned > 0 && { replanned }) },
    }),
    ...(merged !== undefined && { mergedManifests: merged }),
    ...(left.files > 0 && {
      leftAlone: [{ ...left, reason: skipped ?? `more than --max-rewrite ${maxRewrite} in one run` }],
    }),
  }
}

const amountOfFiles = (files: readonly { readonly fileSizeInBytes: number }[]): Amount => ({
  files: files.length,
  bytes: sizeOf(files),
})
