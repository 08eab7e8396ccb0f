import { dataError } from '../../errors.ts'
import {
  mainBranch,
  numericProperty,
  snapshotById,
  type Snapshot,
  type SnapshotRef,
  type SortOrder,
  type TableMetadata,
} from './metadata.ts'
import { CommitFailedError } from '../errors.ts'
import { assertFormatVersion2 } from './format-version.ts'
import { firstPartitionId, sameSpec, type PartitionSpec } from '../partition/partition-spec.ts'
import { highestFieldId, sameSchema, type Schema } from '../schema/schema.ts'

/** A change of table metadata (REST catalog specification, `TableUpdate`). The id -1 means "the one just added". */
export type TableUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly 'format-version': number }
  | { readonly action: 'add-schema'; readonly schema: Schema }
  | { readonly action: 'set-current-schema'; readonly 'schema-id': number }
  | { readonly action: 'add-spec'; readonly spec: PartitionSpec }
  | { readonly action: 'set-default-spec'; readonly 'spec-id': number }
  | { readonly action: 'add-sort-order'; readonly 'sort-order': SortOrder }
  | { readonly action: 'set-default-sort-order'; readonly 'sort-order-id': number }
  | { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
  | ({ readonly action: 'set-snapshot-ref'; readonly 'ref-name': string } & SnapshotRef)
  | { readonly action: 'remove-snapshots'; readonly 'snapshot-ids': readonly bigint[] }
  | { readonly action: 'remove-snapshot-ref'; readonly 'ref-name': string }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }

/** What a table is before its first update. */
const emptyMetadata: TableMetadata = {
  'format-version': 2,
  'table-uuid': '',
  location: '',
  'last-sequence-number': 0,
  'last-updated-ms': 0,
  'last-column-id': 0,
  schemas: [],
  'current-schema-id': -1,
  'partition-specs': [],
  'default-spec-id': -1,
  'last-partition-id': firstPartitionId - 1,
  'sort-orders': [],
  'default-sort-order-id': -1,
  properties: {},
  snapshots: [],
  'snapshot-log': [],
  'metadata-log': [],
  refs: {},
}

/** Java refuses to load tables whose logs run backwards by more than a minute. */
const clockTolerance = 60_000

/**
 * The metadata after `updates`, in order; pure. `base` is undefined for a new table, `nowMs` the time of the
 * commit. Time never runs backwards: `last-updated-ms` is at least every earlier timestamp. Errors: `JobError`
 * data for updates that contradict the metadata, or that add rows or columns to a table that is not format version 2; `CommitFailedError` for a
 * snapshot that was made before another commit, be it to another branch: it must be made anew.
 */
export function applyUpdates(
  base: TableMetadata | undefined,
  updates: readonly TableUpdate[],
  nowMs: number,
): TableMetadata {
  const applied = updates.reduce(
    (metadata, update) => applyUpdate(metadata, update, nowMs),
    base ?? { ...emptyMetadata, 'last-updated-ms': nowMs },
  )
  const version = applied['format-version']
  if (version !== 3 || updates.length === 0 || !updates.every(keepsLineage)) assertFormatVersion2(version)
  return { ...applied, 'last-updated-ms': Math.max(nowMs, applied['last-updated-ms'], lastLogged(applied)) }
}

/** Whether a table of version 3 may have an update of ours: what adds no rows leaves its row lineage as it is. */
const keepsLineage = ({ action }: TableUpdate): boolean => lineageKept.includes(action)
const lineageKept: readonly TableUpdate['action'][] = [
  'set-snapshot-ref',
  'remove-snapshots',
  'remove-snapshot-ref',
  'set-properties',
  'remove-properties',
]

/** The newest instant of a table's logs: a foreign writer's clock may be ahead of `last-updated-ms`. */
const lastLogged = (metadata: TableMetadata): number =>
  Math.max(
    0,
    ...[metadata['snapshot-log'].at(-1), metadata['metadata-log'].at(-1)].map(
      (entry) => entry?.['timestamp-ms'] ?? 0,
    ),
  )

/**
 * `next` with its predecessor's file in the metadata log, which `write.metadata.previous-versions-max` bounds. Times
 * in the log rise, also where a foreign writer's clock was behind: Java could not load the table otherwise.
 */
export function logPrevious(next: TableMetadata, base: TableMetadata, baseLocation: string): TableMetadata {
  const most = Math.max(1, numericProperty(next.properties, 'write.metadata.previous-versions-max', 100))
  const log = base['metadata-log']
  const at = Math.max(base['last-updated-ms'], log.at(-1)?.['timestamp-ms'] ?? 0)
  const entry = { 'timestamp-ms': at, 'metadata-file': baseLocation }
  return { ...next, 'metadata-log': [...log, entry].slice(-most) }
}

function applyUpdate(metadata: TableMetadata, update: TableUpdate, nowMs: number): TableMetadata {
  switch (update.action) {
    case 'assign-uuid':
      return { ...metadata, 'table-uuid': update.uuid }
    case 'upgrade-format-version':
      if (update['format-version'] < metadata['format-version'])
        throw dataError('the format version of a table cannot go down', { field: 'format-version' })
      return { ...metadata, 'format-version': update['format-version'] }
    case 'add-schema':
      return addSchema(metadata, update.schema)
    case 'set-current-schema':
      return {
        ...metadata,
        'current-schema-id': resolved(update['schema-id'], metadata.schemas, 'schema-id'),
      }
    case 'add-spec':
      return addSpec(metadata, update.spec)
    case 'set-default-spec':
      return {
        ...metadata,
        'default-spec-id': resolved(update['spec-id'], metadata['partition-specs'], 'spec-id'),
      }
    case 'add-sort-order':
      return addSortOrder(metadata, update['sort-order'])
    case 'set-default-sort-order':
      return {
        ...metadata,
        'default-sort-order-id': resolved(update['sort-order-id'], metadata['sort-orders'], 'order-id'),
      }
    case 'add-snapshot':
      return addSnapshot(metadata, update.snapshot)
    case 'set-snapshot-ref':
      return setRef(metadata, update['ref-name'], without(update, ['action', 'ref-name']), nowMs)
    case 'remove-snapshots':
      return removeSnapshots(metadata, new Set(update['snapshot-ids']))
    case 'remove-snapshot-ref':
      return removeRef(metadata, update['ref-name'])
    case 'set-location':
      return { ...metadata, location: update.location.replace(/\/+$/, '') }
    case 'set-properties':
      return { ...metadata, properties: { ...metadata.properties, ...update.updates } }
    case 'remove-properties':
      return { ...metadata, properties: without(metadata.properties, update.removals) }
  }
}

/** -1 is the last of the list: what was just added is moved there. */
function resolved<Key extends string>(
  id: number,
  all: readonly Readonly<Record<Key, number>>[],
  key: Key,
): number {
  const found = id === -1 ? all.at(-1) : all.find((one) => one[key] === id)
  if (found === undefined) throw dataError(`the table has no ${key} ${id}`, { field: key })
  return found[key]
}

const nextId = (ids: readonly number[]): number => Math.max(-1, ...ids) + 1

const moveLast = <T>(all: readonly T[], one: T): readonly T[] => [
  ...all.filter((other) => other !== one),
  one,
]

function addSchema(metadata: TableMetadata, schema: Schema): TableMetadata {
  const known = metadata.schemas.find((other) => sameSchema(other, schema))
  if (known !== undefined) return { ...metadata, schemas: moveLast(metadata.schemas, known) }
  const id = nextId(metadata.schemas.map((other) => other['schema-id']))
  return {
    ...metadata,
    schemas: [...metadata.schemas, { ...schema, 'schema-id': id }],
    'last-column-id': Math.max(metadata['last-column-id'], highestFieldId(schema)),
  }
}

function addSpec(metadata: TableMetadata, spec: PartitionSpec): TableMetadata {
  const known = metadata['partition-specs'].find((other) => sameSpec(other, spec))
  if (known !== undefined)
    return { ...metadata, 'partition-specs': moveLast(metadata['partition-specs'], known) }
  const id = nextId(metadata['partition-specs'].map((other) => other['spec-id']))
  return {
    ...metadata,
    'partition-specs': [...metadata['partition-specs'], { ...spec, 'spec-id': id }],
    'last-partition-id': Math.max(
      metadata['last-partition-id'],
      ...spec.fields.map((field) => field['field-id']),
    ),
  }
}

function addSortOrder(metadata: TableMetadata, order: SortOrder): TableMetadata {
  const orders = metadata['sort-orders']
  const known = orders.find((other) => JSON.stringify(other.fields) === JSON.stringify(order.fields))
  if (known !== undefined) return { ...metadata, 'sort-orders': moveLast(orders, known) }
  // 0 is reserved for unsorted tables.
  const id = order.fields.length === 0 ? 0 : Math.max(1, nextId(orders.map((other) => other['order-id'])))
  return { ...metadata, 'sort-orders': [...orders, { ...order, 'order-id': id }] }
}

function addSnapshot(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  const id = snapshot['snapshot-id']
  if (snapshotById(metadata, id) !== undefined) throw dataError(`snapshot ${id} is in the table already`)
  if (snapshot['sequence-number'] <= metadata['last-sequence-number'])
    throw new CommitFailedError(
      `snapshot ${id} has sequence number ${snapshot['sequence-number']}, the table is at ${metadata['last-sequence-number']}`,
    )
  if (snapshot['timestamp-ms'] < metadata['last-updated-ms'] - clockTolerance)
    throw new CommitFailedError(`snapshot ${id} is more than a minute older than the table`)
  return {
    ...metadata,
    snapshots: [...metadata.snapshots, snapshot],
    'last-sequence-number': snapshot['sequence-number'],
    'last-updated-ms': Math.max(metadata['last-updated-ms'], snapshot['timestamp-ms']),
  }
}

function setRef(metadata: TableMetadata, name: string, ref: SnapshotRef, nowMs: number): TableMetadata {
  const snapshot = snapshotById(metadata, ref['snapshot-id'])
  if (snapshot === undefined)
    throw dataError(`the table has no snapshot ${ref['snapshot-id']}`, { field: name })
  const withRef = { ...metadata, refs: { ...metadata.refs, [name]: ref } }
  if (name !== mainBranch || metadata['current-snapshot-id'] === ref['snapshot-id']) return withRef
  const isNewest = snapshot === metadata.snapshots.at(-1)
  const at = Math.max(lastLogged(metadata), isNewest ? snapshot['timestamp-ms'] : nowMs)
  return {
    ...withRef,
    'current-snapshot-id': ref['snapshot-id'],
    'snapshot-log': [...metadata['snapshot-log'], { 'timestamp-ms': at, 'snapshot-id': ref['snapshot-id'] }],
  }
}

/** History before an expired snapshot is dropped with it: a log with a hole would tell a false story. */
function removeSnapshots(metadata: TableMetadata, ids: ReadonlySet<bigint>): TableMetadata {
  for (const [name, ref] of Object.entries(metadata.refs))
    if (ids.has(ref['snapshot-id']))
      throw dataError(`snapshot ${ref['snapshot-id']} cannot be removed: ${name} points to it`, {
        field: name,
      })
  const log = metadata['snapshot-log']
  const lastExpired = log.findLastIndex((entry) => ids.has(entry['snapshot-id']))
  return {
    ...metadata,
    ...statisticsWithout(metadata, ids),
    snapshots: metadata.snapshots.filter((snapshot) => !ids.has(snapshot['snapshot-id'])),
    'snapshot-log': log.slice(lastExpired + 1),
  }
}

/** Statistics go with their snapshots; both lists are other writers' (spec "Table Statistics", "Partition Statistics"). */
const statisticsWithout = (metadata: TableMetadata, ids: ReadonlySet<bigint>): object =>
  Object.fromEntries(
    ['statistics', 'partition-statistics'].flatMap((key) => {
      const all = (metadata as unknown as Readonly<Record<string, unknown>>)[key]
      if (!Array.isArray(all)) return []
      const entries = all as readonly { readonly 'snapshot-id': number | bigint }[]
      return [[key, entries.filter((entry) => !ids.has(BigInt(entry['snapshot-id'])))]]
    }),
  )

function removeRef(metadata: TableMetadata, name: string): TableMetadata {
  const refs = without(metadata.refs, [name])
  if (name !== mainBranch) return { ...metadata, refs }
  return { ...without(metadata, ['current-snapshot-id']), refs }
}

/** A copy without some keys. */
const without = <T extends object, Key extends keyof T & string>(
  record: T,
  keys: readonly Key[],
): Omit<T, Key> =>
  Object.fromEntries(
    Object.entries(record).filter(([key]) => !(keys as readonly string[]).includes(key)),
  ) as Omit<T, Key>
