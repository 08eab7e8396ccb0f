import { mapConcurrently } from '../concurrency.ts'
import { effectsOf, type JobContext } from '../context.ts'
import { dataError, JobError, listed } from '../errors.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import { CommitFailedError, ValidationError } from '../iceberg/errors.ts'
import { readManifestList } from '../iceberg/manifest/table-files.ts'
import {
  branchSnapshot,
  mainBranch,
  numericProperty,
  type Snapshot,
  type TableMetadata,
} from '../iceberg/metadata/metadata.ts'
import type { TableUpdate } from '../iceberg/metadata/updates.ts'
import { isManaged, managedProperty } from '../provenance/managed.ts'
import { fingerprintUpdates } from '../provenance/table-rows.ts'
import type { Maintained } from '../summary.ts'
import { anyInside, entryText, isInsideAny, ownFolders, type Neighbourhood } from './ownership.ts'
import type { ReachableFile } from '../lake/reachable.ts'
import { removeFiles, type Removed } from './remove-files.ts'
import { expiryUpdates, planExpiry, type ExpiryPlan, type Retention } from '../lake/upkeep/retention.ts'
import { kindSummaries, total } from './tally.ts'
import { filesOfOthers, type FilesOfOthers } from './strays.ts'
import { createWalk, type Walk } from './walk.ts'

export interface MaintainStores {
  readonly catalog: Catalog
  readonly neighbours: Neighbourhood
}

/**
 * Expires snapshots of a table (lake-spec §4.4) and removes the files that no other snapshot needs. Files go only after the
 * commit is confirmed, and only those that no snapshot reaches which the metadata lists that the catalog points to *then*; an
 * outcome that is not known removes nothing. `dryRun` makes the same plan and counts the same files. What cannot be removed is
 * told and stays for `orphans`. Errors: as `reachableFiles`, before anything is changed; `CommitFailedError`, where others
 * commit again and again; `CommitStateUnknownError`.
 */
export async function expireTable(
  loaded: Table,
  retention: Retention,
  dryRun: boolean,
  { catalog, neighbours }: MaintainStores,
  context: JobContext,
): Promise<Maintained> {
  const { signal, now, logger } = context
  assertExpirable(loaded)
  const plan = (table: Table): Promise<ExpiryPlan> => planOf(table, retention, now().getTime())
  const folders = ownFolders(loaded.metadata)
  const walk = createWalk()
  let done = await plan(loaded)
  await walk.through(loaded, retained(loaded.metadata, done))

  let whyNot: string | undefined
  let others: FilesOfOthers | undefined
  if (!isEmpty(done)) {
    if (!dryRun) {
      signal.throwIfAborted()
      const committed = await commitPlan(loaded, done, plan, walk, catalog, context)
      done = committed.plan
      const fields = {
        table: tableText(loaded.identifier),
        snapshots: done.remove.length,
        refs: done.removeRefs,
      }
      logger.info(fields, 'snapshots expired')
      whyNot = await throughLatest(catalog, committed.table, walk)
    }
    whyNot ??= await sharedWith(loaded, neighbours)
    if (whyNot === undefined) others = await filesOfOthers(await neighbours(loaded), folders)
  }
  const isOurs = ({ location }: ReachableFile): boolean =>
    whyNot === undefined && isInsideAny(location, folders) && others?.needs(location) !== true
  const removed = await removeFiles(loaded.io, walk.onlyOf(loaded, done.remove), isOurs, { dryRun, signal })
  return summarise(loaded.metadata, done, dryRun, removed, walk, whyNot ?? whyLeft(others))
}

const isEmpty = ({ remove, removeRefs }: ExpiryPlan): boolean =>
  remove.length === 0 && removeRefs.length === 0

/** Version 1 has other members: we could not write its metadata. */
function assertExpirable({ identifier, metadata }: Table): void {
  if (metadata['format-version'] >= 2) return
  const name = tableText(identifier)
  throw dataError(`table ${name} has format version 1, which can be read but not changed`, {
    field: name,
    fix: 'export to it once with --upgrade, or expire its snapshots with Spark',
  })
}

async function planOf({ metadata, io }: Table, retention: Retention, nowMs: number): Promise<ExpiryPlan> {
  const rows = new Map<bigint, number>()
  // Writers may leave totals out.
  const unknown = metadata.snapshots.filter(({ summary }) => !isTotal(summary['total-records']))
  if (retention.keepBeforeShrinkMs > 0)
    await mapConcurrently(unknown, 8, async (snapshot) => {
      const manifests = (await readManifestList(io, snapshot)).filter(({ content }) => content === 0)
      const counts = manifests.map((manifest) => manifest.addedRowsCount + manifest.existingRowsCount)
      rows.set(
        snapshot['snapshot-id'],
        counts.reduce((sum, count) => sum + count, 0),
      )
    })
  const rowsOf = ({ 'snapshot-id': id, summary }: Snapshot): number | undefined =>
    isTotal(summary['total-records']) ? Number(summary['total-records']) : rows.get(id)
  return planExpiry(metadata, retention, rowsOf, nowMs)
}

const isTotal = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text)

function retained({ snapshots }: TableMetadata, { remove }: ExpiryPlan): Snapshot[] {
  const gone = new Set(remove.map((snapshot) => snapshot['snapshot-id']))
  return snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id']))
}

/**
 * Commits the plan in the table's queue of writers. Where others committed since, there is a plan for the new state, too, and
 * what both remove goes: never more than was planned.
 */
async function commitPlan(
  loaded: Table,
  planned: ExpiryPlan,
  planFor: (table: Table) => Promise<ExpiryPlan>,
  walk: Walk,
  catalog: Catalog,
  context: JobContext,
): Promise<{ readonly table: Table; readonly plan: ExpiryPlan }> {
  const { sleep, random, signal } = effectsOf(context)
  const { identifier } = loaded
  const { properties } = loaded.metadata
  const retries = numericProperty(properties, 'commit.retry.num-retries', 4)
  const least = numericProperty(properties, 'commit.retry.min-wait-ms', 100)
  const attempt = async (): Promise<{ readonly table: Table; readonly plan: ExpiryPlan }> => {
    const current = await catalog.load(identifier)
    let plan = planned
    if (current.metadataLocation !== loaded.metadataLocation) {
      assertSame(loaded, current)
      plan = common(planned, await planFor(current))
      await walk.through(current, retained(current.metadata, plan))
    }
    if (isEmpty(plan)) return { table: current, plan }
    const { requirements, updates: removal } = expiryUpdates(current.metadata, plan)
    const updates = [...(await keptUpdates(current)), ...removal]
    signal.throwIfAborted()
    try {
      return { table: await catalog.commit(identifier, requirements, updates), plan }
    } catch (error) {
      if (!(error instanceof JobError && error.code === 'data')) throw error
      // A branch or tag was made in this instant on a snapshot of the plan.
      const { metadataLocation } = await catalog.load(identifier)
      throw metadataLocation === current.metadataLocation
        ? error
        : new CommitFailedError(error.message, error)
    }
  }
  for (let tries = 0; ; tries++) {
    try {
      return await catalog.inTurn(identifier, attempt, signal)
    } catch (error) {
      if (!(error instanceof CommitFailedError) || tries >= retries) throw error
      await sleep(least * 2 ** tries * (0.5 + random() / 2))
    }
  }
}

/** What the snapshots that go tell of the table and nothing else would: its fingerprints, and that it is ours. */
async function keptUpdates({ io, metadata }: Table): Promise<TableUpdate[]> {
  const head = branchSnapshot(metadata, mainBranch)
  const fingerprints =
    head === undefined ? [] : await fingerprintUpdates({ io, metadata }, head, head['snapshot-id'])
  const isSaid = managedProperty in metadata.properties
  return isSaid || !isManaged(metadata)
    ? fingerprints
    : [...fingerprints, { action: 'set-properties', updates: { [managedProperty]: 'true' } }]
}

function assertSame(loaded: Table, current: Table): void {
  if (loaded.metadata['table-uuid'] === current.metadata['table-uuid']) return
  const name = tableText(loaded.identifier)
  throw new ValidationError(name, `table ${name} was replaced by another one of the same name`)
}

/** What both plans remove. */
function common(planned: ExpiryPlan, anew: ExpiryPlan): ExpiryPlan {
  const ids = new Set(anew.remove.map((snapshot) => snapshot['snapshot-id']))
  return {
    remove: planned.remove.filter((snapshot) => ids.has(snapshot['snapshot-id'])),
    removeRefs: planned.removeRefs.filter((name) => anew.removeRefs.includes(name)),
    beforeShrink: anew.beforeShrink,
  }
}

/**
 * Goes through what the catalog's table has now, until it stays as it is (lake-spec §4.3). Returns why no file may be removed,
 * if the table is not there any more.
 */
async function throughLatest(catalog: Catalog, committed: Table, walk: Walk): Promise<string | undefined> {
  for (let gone = committed; ;) {
    const latest = await catalog.load(committed.identifier).catch((error: unknown) => {
      if (error instanceof JobError && error.code === 'data') return undefined
      throw error
    })
    if (latest?.metadata['table-uuid'] !== committed.metadata['table-uuid'])
      return 'the table was dropped, renamed or replaced meanwhile'
    if (latest.metadataLocation === gone.metadataLocation) return undefined
    await walk.through(latest, latest.metadata.snapshots)
    gone = latest
  }
}

/** Why none of the table's files may be removed: its owner says so, or others may need them. */
async function sharedWith(table: Table, neighbours: Neighbourhood): Promise<string | undefined> {
  if (table.metadata.properties['gc.enabled']?.toLowerCase() === 'false')
    return 'gc.enabled is false: files may be other tables’, too'
  const folders = ownFolders(table.metadata)
  const inside = (await neighbours(table)).find((neighbour) => anyInside(neighbour.folders, folders))
  return inside && `${entryText(inside.entry)} lies in the table’s folder`
}

const whyLeft = (others: FilesOfOthers | undefined): string =>
  others?.unknown?.why ??
  (others === undefined || others.names.length === 0
    ? 'outside of the table’s folders'
    : `outside of the table’s folders, or needed by ${listed(others.names)}`)

function summarise(
  { snapshots }: TableMetadata,
  { remove, removeRefs, beforeShrink }: ExpiryPlan,
  dryRun: boolean,
  { freed, failed, failures, hidden, leftAlone }: Removed,
  { needed, lost }: Walk,
  whyLeft: string,
): Maintained {
  const alone = total(leftAlone)
  const errors = [...failures, ...lost]
  return {
    operation: 'expire',
    dryRun,
    snapshots: { before: snapshots.length, after: snapshots.length - remove.length },
    ...(removeRefs.length > 0 && { removedRefs: [...removeRefs] }),
    ...(beforeShrink.length > 0 && {
      keptBeforeShrink: beforeShrink.map((snapshot) => String(snapshot['snapshot-id'])),
    }),
    files: kindSummaries(freed, [needed, leftAlone, failed]),
    ...(hidden > 0 && { hidden }),
    ...(alone.files > 0 && { leftAlone: [{ ...alone, reason: whyLeft }] }),
    ...(errors.length > 0 && { notRemoved: { ...total(failed), errors } }),
  }
}
