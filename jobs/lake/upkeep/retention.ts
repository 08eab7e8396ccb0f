import { msPerDay } from '../../calendar.ts'
import { usageError } from '../../errors.ts'
import {
  mainBranch,
  type Snapshot,
  type SnapshotRef,
  type TableMetadata,
} from '../../iceberg/metadata/metadata.ts'
import type { TableRequirement } from '../../iceberg/metadata/requirements.ts'
import type { TableUpdate } from '../../iceberg/metadata/updates.ts'

/** What a run was told to keep; what it was not told, the table says, else the defaults. */
export interface Retention {
  /** Snapshots up to this age, in milliseconds. */
  readonly olderThanMs: number | undefined
  /** The newest snapshots of each branch, whatever their age. */
  readonly keep: number | undefined
  /** How long the last snapshot before a shrink stays; 0: not at all. */
  readonly keepBeforeShrinkMs: number
}

export interface ExpiryPlan {
  /** Oldest first, as the metadata has them. */
  readonly remove: readonly Snapshot[]
  /** Branches and tags that are older than their own `max-ref-age-ms`, or the table's. */
  readonly removeRefs: readonly string[]
  /** Kept for a shrink alone. */
  readonly beforeShrink: readonly Snapshot[]
}

const defaultAgeMs = 7 * msPerDay
const defaultKeep = 3
/** Of the rows before. */
const shrinkShare = 0.5

/**
 * Which snapshots and refs go (lake-spec §4.4): a flag goes before a ref's own setting, that before the table's property,
 * that before the default. Every ref's head stays, unless the ref itself is too old by its own rule; `main` never is. Of a
 * branch stay the newest, and whatever is young enough; of snapshots without a ref what is young enough. `rowsOf` tells a
 * snapshot's rows, undefined where nobody knows. Pure. Errors: usage, for a property that is no number.
 */
export function planExpiry(
  metadata: TableMetadata,
  retention: Retention,
  rowsOf: (snapshot: Snapshot) => number | undefined,
  nowMs: number,
): ExpiryPlan {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot]))
  const history = (id: bigint | undefined): Snapshot[] => ancestors(byId, id)
  const oldest = oldestOf(metadata, retention, nowMs)
  const usualRefAge = property(metadata, 'history.expire.max-ref-age-ms') ?? Infinity
  const usualLeast = property(metadata, 'history.expire.min-snapshots-to-keep') ?? defaultKeep
  const isTooOld = (ref: SnapshotRef): boolean => {
    const head = byId.get(ref['snapshot-id'])
    return head !== undefined && nowMs - head['timestamp-ms'] > (ref['max-ref-age-ms'] ?? usualRefAge)
  }
  const removeRefs = Object.entries(metadata.refs)
    .filter(([name, ref]) => name !== mainBranch && isTooOld(ref))
    .map(([name]) => name)
  const refs = Object.entries(metadata.refs).filter(([name]) => !removeRefs.includes(name))

  const keep = new Set<bigint>()
  const referenced = new Set<bigint>()
  for (const [, ref] of refs) {
    keep.add(ref['snapshot-id'])
    referenced.add(ref['snapshot-id'])
    if (ref.type === 'tag') continue
    const least = retention.keep ?? ref['min-snapshots-to-keep'] ?? usualLeast
    for (const [index, snapshot] of history(ref['snapshot-id']).entries()) {
      referenced.add(snapshot['snapshot-id'])
      if (index < least || snapshot['timestamp-ms'] >= oldest(ref)) keep.add(snapshot['snapshot-id'])
    }
  }
  for (const snapshot of metadata.snapshots)
    if (!referenced.has(snapshot['snapshot-id']) && snapshot['timestamp-ms'] >= oldest(undefined))
      keep.add(snapshot['snapshot-id'])

  const isExpired = (snapshot: Snapshot): boolean => !keep.has(snapshot['snapshot-id'])
  const shrunk = beforeShrinks(metadata, byId, retention, rowsOf, nowMs)
  const beforeShrink = metadata.snapshots.filter(
    (snapshot) => isExpired(snapshot) && shrunk.has(snapshot['snapshot-id']),
  )
  for (const snapshot of beforeShrink) keep.add(snapshot['snapshot-id'])
  return { remove: metadata.snapshots.filter(isExpired), removeRefs, beforeShrink }
}

/** What is committed for a plan: it rests on every branch and tag that the plan was made with. */
export function expiryUpdates(
  metadata: TableMetadata,
  { remove, removeRefs }: ExpiryPlan,
): { readonly requirements: readonly TableRequirement[]; readonly updates: readonly TableUpdate[] } {
  const updates: TableUpdate[] = removeRefs.map((name) => ({
    action: 'remove-snapshot-ref',
    'ref-name': name,
  }))
  if (remove.length > 0)
    updates.push({
      action: 'remove-snapshots',
      'snapshot-ids': remove.map((snapshot) => snapshot['snapshot-id']),
    })
  return {
    updates,
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      ...Object.entries(metadata.refs).map(([ref, { 'snapshot-id': id }]): TableRequirement => ({
        type: 'assert-ref-snapshot-id',
        ref,
        'snapshot-id': id,
      })),
    ],
  }
}

/** A snapshot and those that it came from, newest first, as far as the metadata has them. */
function ancestors(byId: ReadonlyMap<bigint, Snapshot>, id: bigint | undefined): Snapshot[] {
  const found = new Set<Snapshot>()
  for (let at = id; at !== undefined;) {
    const snapshot = byId.get(at)
    if (snapshot === undefined || found.has(snapshot)) break
    found.add(snapshot)
    at = snapshot['parent-snapshot-id']
  }
  return [...found]
}

/** The time from which snapshots of a ref, or without one, are young enough. */
function oldestOf(
  metadata: TableMetadata,
  { olderThanMs }: Retention,
  nowMs: number,
): (ref: SnapshotRef | undefined) => number {
  const usual = property(metadata, 'history.expire.max-snapshot-age-ms') ?? defaultAgeMs
  return (ref) => nowMs - (olderThanMs ?? ref?.['max-snapshot-age-ms'] ?? usual)
}

/** Snapshots that lost more than half of their rows, to a child of theirs or to what `main` was set to, not long ago. */
function beforeShrinks(
  metadata: TableMetadata,
  byId: ReadonlyMap<bigint, Snapshot>,
  { keepBeforeShrinkMs }: Retention,
  rowsOf: (snapshot: Snapshot) => number | undefined,
  nowMs: number,
): ReadonlySet<bigint> {
  const shrunk = new Set<bigint>()
  if (keepBeforeShrinkMs === 0) return shrunk
  const look = (beforeId: bigint | undefined, after: Snapshot | undefined, atMs: number): void => {
    const before = beforeId === undefined ? undefined : byId.get(beforeId)
    if (before === undefined || after === undefined || atMs < nowMs - keepBeforeShrinkMs) return
    const [was, is] = [rowsOf(before), rowsOf(after)]
    if (was !== undefined && is !== undefined && is < shrinkShare * was) shrunk.add(before['snapshot-id'])
  }
  for (const snapshot of metadata.snapshots)
    look(snapshot['parent-snapshot-id'], snapshot, snapshot['timestamp-ms'])
  for (const [index, entry] of metadata['snapshot-log'].entries())
    look(
      metadata['snapshot-log'][index - 1]?.['snapshot-id'],
      byId.get(entry['snapshot-id']),
      entry['timestamp-ms'],
    )
  return shrunk
}

/** What a table's owner asked for must not be guessed: of `30d` nobody knows what would go. */
function property({ properties }: TableMetadata, key: string): number | undefined {
  const text = properties[key]
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text.trim())) return Number(text)
  throw usageError(`table property ${key} is "${text}", which is no whole number`, {
    field: key,
    fix: 'correct the property, or remove it',
  })
}
