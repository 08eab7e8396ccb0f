import { JobError } from '../../errors.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { tableText, type Catalog, type CommitLog, type Table } from '../catalog/catalog.ts'
import { conflictsAmong, snapshotsSince } from './conflicts.ts'
import { assertNoneDeleted } from './delete-conflicts.ts'
import { CommitFailedError, NoSuchTableError, TableAlreadyExistsError, ValidationError } from '../errors.ts'
import {
  currentSchema,
  defaultSpec,
  numericProperty,
  type Snapshot,
  type TableMetadata,
} from '../metadata/metadata.ts'
import { sameSpec } from '../partition/partition-spec.ts'
import { producerState, type ProducerState } from './producer-state.ts'
import { checkRequirements } from '../metadata/requirements.ts'
import { sameSchema } from '../schema/schema.ts'
import { stageSnapshot } from './snapshot-producer.ts'
import type { SnapshotRequest } from './snapshot-request.ts'

/** The effects of a commit. */
export interface CommitEffects {
  readonly now: () => Date
  readonly uuid: () => string
  /** Cryptographic. */
  readonly randomBytes: (size: number) => Buffer
  /** In [0, 1): spreads the waits of writers that collided. */
  readonly random: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** Ends the commit with its reason, up to the moment in which it is sent to the catalog. */
  readonly signal?: AbortSignal
  readonly log?: CommitLog
}

export type CommitResult =
  /** `table` is as committed; `attempts` counts from 1. */
  | {
      readonly kind: 'committed'
      readonly table: Table
      readonly snapshot: Snapshot
      readonly attempts: number
    }
  /** No file added or removed: no snapshot, but table updates if there were any. */
  | { readonly kind: 'unchanged'; readonly table: Table }
  /** A later read of the same source is in the table already (export-spec §3.7); nothing was committed. */
  | { readonly kind: 'superseded'; readonly by: Snapshot }

/**
 * Produces a snapshot and commits it upon `table`, staged or loaded. On a conflict the table is loaded anew,
 * the request checked against what came in between, and staged again, as `commit.retry.*` allow. Data files
 * are the caller's: on a failure other than an unknown state they may be deleted, as this function does with
 * its own manifests.
 *
 * Errors: `ValidationError` for a real conflict; `CommitFailedError` when the retries are used up;
 * `CommitStateUnknownError`: nothing was deleted and nothing may be.
 */
export async function commitSnapshot(
  catalog: Catalog,
  table: Table,
  request: SnapshotRequest,
  effects: CommitEffects,
): Promise<CommitResult> {
  const state = producerState(effects.uuid(), effects.randomBytes)
  let keep: readonly string[] | undefined = []
  try {
    const result = await attempts(catalog, table, request, state, effects)
    keep = result.kind === 'committed' ? result.writtenFiles : []
    return result
  } catch (error) {
    if (error instanceof JobError && error.code === 'unknownCommit') keep = undefined
    throw error
  } finally {
    const others = [...state.writtenFiles].filter((location) => keep?.includes(location) !== true)
    const left = keep === undefined ? others : await removeAll(table, others)
    const why = keep === undefined ? 'the outcome of the commit is unknown' : 'they could not be removed'
    if (left.length > 0)
      effects.log?.(
        'warn',
        { table: tableText(table.identifier), files: left },
        `files of this commit stay behind: ${why}`,
      )
  }
}

type Attempted = CommitResult & { readonly writtenFiles: readonly string[] }

async function attempts(
  catalog: Catalog,
  started: Table,
  request: SnapshotRequest,
  state: ProducerState,
  effects: CommitEffects,
): Promise<Attempted> {
  const { properties } = started.metadata
  const retries = numericProperty(properties, 'commit.retry.num-retries', 4)
  const least = numericProperty(properties, 'commit.retry.min-wait-ms', 100)
  const most = numericProperty(properties, 'commit.retry.max-wait-ms', 60_000)
  const deadline =
    effects.now().getTime() + numericProperty(properties, 'commit.retry.total-timeout-ms', 1_800_000)
  let conflict: CommitFailedError | TableAlreadyExistsError | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      const attemptInTurn = async (): Promise<Attempted> => {
        const table = await refreshed(catalog, started, conflict)
        return attemptOnce(catalog, started, table, request, state, attempt, effects)
      }
      return await catalog.inTurn(started.identifier, attemptInTurn, effects.signal)
    } catch (error) {
      const isConflict = error instanceof CommitFailedError || error instanceof TableAlreadyExistsError
      if (!isConflict || attempt > retries || effects.now().getTime() >= deadline) throw error
      conflict = error
    }
    const wait = Math.min(most, least * 2 ** (attempt - 1)) * (0.5 + effects.random() / 2)
    const fields = { table: tableText(started.identifier), attempt, waitMs: Math.round(wait) }
    effects.log?.('info', fields, `${conflict.message}: trying again`)
    await effects.sleep(wait)
  }
}

/** The table as it is now: others may have committed since the job started, or because of whom we lost. */
async function refreshed(
  catalog: Catalog,
  started: Table,
  conflict: CommitFailedError | TableAlreadyExistsError | undefined,
): Promise<Table> {
  if (started.metadataLocation === undefined && conflict === undefined) return started
  try {
    const table = await catalog.load(started.identifier)
    return table.metadataLocation === started.metadataLocation ? started : table
  } catch (error) {
    // Made by another one, and dropped since.
    if (error instanceof NoSuchTableError && conflict instanceof TableAlreadyExistsError) throw conflict
    throw error
  }
}

async function attemptOnce(
  catalog: Catalog,
  started: Table,
  table: Table,
  request: SnapshotRequest,
  state: ProducerState,
  attempt: number,
  effects: CommitEffects,
): Promise<Attempted> {
  const { identifier, metadata, io } = table
  const name = tableText(identifier)
  if (table !== started) assertSameTable(name, started, table, request)
  const superseding = await checkConflicts(name, table, request)
  if (superseding !== undefined) return { kind: 'superseded', by: superseding, writtenFiles: [] }

  const nowMs = effects.now().getTime()
  const staged = await stageSnapshot(name, io, metadata, request, state, attempt, nowMs)
  const { snapshot, requirements, updates, writtenFiles } = staged
  const isNew = table.metadataLocation === undefined
  if (snapshot === undefined && updates.length === 0 && !isNew)
    return { kind: 'unchanged', table, writtenFiles }
  effects.signal?.throwIfAborted()
  const committed = isNew
    ? await catalog.create(table, updates)
    : await catalog.commit(identifier, requirements, updates)
  return snapshot === undefined
    ? { kind: 'unchanged', table: committed, writtenFiles }
    : { kind: 'committed', table: committed, snapshot, attempts: attempt, writtenFiles }
}

/** Two jobs made the table at once: files written for one are as good for the other. */
const isAlike = (staged: TableMetadata, made: TableMetadata): boolean =>
  staged.location === made.location &&
  sameSchema(currentSchema(staged), currentSchema(made)) &&
  defaultSpec(staged)['spec-id'] === defaultSpec(made)['spec-id'] &&
  sameSpec(defaultSpec(staged), defaultSpec(made))

/**
 * Files were written for the table as it was at the start: one that was dropped and made anew, or whose schema
 * or spec changed against the request's requirements, cannot take them. Waiting would not help.
 */
function assertSameTable(name: string, started: Table, table: Table, request: SnapshotRequest): void {
  if (started.metadataLocation === undefined && isAlike(started.metadata, table.metadata)) return
  if (table.metadata['table-uuid'] !== started.metadata['table-uuid'])
    throw new ValidationError(name, `table ${name} was replaced by another one of the same name`)
  try {
    checkRequirements(table.metadata, request.tableRequirements)
  } catch (error) {
    if (!(error instanceof CommitFailedError)) throw error
    throw new ValidationError(name, `${name}: ${error.message}`)
  }
}

/** The snapshot that supersedes the request; undefined when nothing is in its way. Errors: `ValidationError`. */
async function checkConflicts(
  name: string,
  { io, metadata }: Table,
  request: SnapshotRequest,
): Promise<Snapshot | undefined> {
  const { conflicts, startingSnapshotId, branch } = request
  if (conflicts === undefined) return undefined
  const since = snapshotsSince(name, metadata, branch, startingSnapshotId)
  if (conflicts.kind === 'deletes') {
    await assertNoneDeleted(name, io, metadata, since, conflicts.removed, request)
    return undefined
  }
  for await (const conflict of conflictsAmong(io, metadata, since, conflicts.filter)) {
    const age = conflicts.compareWith?.(conflict.summary)
    if (age === 'newer') return conflict
    if (age === undefined) {
      throw new ValidationError(
        name,
        `table ${name} was changed while this job ran: snapshot ${conflict['snapshot-id']} touched the same rows`,
      )
    }
  }
  return undefined
}

/** Best effort: those that stay behind, orphans that maintenance finds. */
async function removeAll({ io }: Table, locations: readonly string[]): Promise<string[]> {
  const left: string[] = []
  for (const location of locations)
    await io.delete(canonicalLocation(location)).catch(() => {
      left.push(location)
    })
  return left
}
