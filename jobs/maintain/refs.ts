import type { JobContext } from '../context.ts'
import { dataError, JobError, listed, usageError } from '../errors.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import { assertFormatVersion2 } from '../iceberg/metadata/format-version.ts'
import { specTypeOf } from '../iceberg/manifest/table-files.ts'
import {
  branchSnapshot,
  mainBranch,
  refOf,
  snapshotById,
  type Snapshot,
} from '../iceberg/metadata/metadata.ts'
import type { TableRequirement } from '../iceberg/metadata/requirements.ts'
import type { TableUpdate } from '../iceberg/metadata/updates.ts'
import { partitionPath } from '../iceberg/partition/partition-path.ts'
import { countOf, planRead, type PlannedFile, type ReadPlan } from '../lake/read-plan.ts'
import { chooseSnapshot } from '../lake/snapshot-choice.ts'
import { managedProperty } from '../provenance/managed.ts'
import { fingerprintUpdates } from '../provenance/table-rows.ts'

/** What is to be committed, and a phrase for each change. */
export interface RefPlan {
  readonly requirements: readonly TableRequirement[]
  readonly updates: readonly TableUpdate[]
  readonly changes: readonly string[]
}

/**
 * Makes the plan for the table as it is in its turn, and commits it; the phrases of its changes. Errors: the plan's;
 * `JobError` data, for a format version that cannot be written; `CommitFailedError`, where another commit comes first.
 */
export async function commitRefs(
  table: Table,
  plan: (current: Table) => RefPlan | Promise<RefPlan>,
  dryRun: boolean,
  catalog: Catalog,
  { signal }: Pick<JobContext, 'signal'>,
): Promise<readonly string[]> {
  const version = table.metadata['format-version']
  if (version < 2) assertFormatVersion2(version, tableText(table.identifier))
  if (dryRun) return (await plan(table)).changes
  const attempt = async (): Promise<readonly string[]> => {
    const { requirements, updates, changes } = await plan(await catalog.load(table.identifier))
    const uuid = { type: 'assert-table-uuid', uuid: table.metadata['table-uuid'] } as const
    signal.throwIfAborted()
    if (updates.length > 0) await catalog.commit(table.identifier, [uuid, ...requirements], updates)
    return changes
  }
  return catalog.inTurn(table.identifier, attempt, signal)
}

/** Makes a table one that maintenance takes for ours. */
export function planAdoption({ metadata }: Table): RefPlan {
  const isOurs = metadata.properties[managedProperty]?.toLowerCase() === 'true'
  return {
    requirements: [],
    updates: isOurs ? [] : [{ action: 'set-properties', updates: { [managedProperty]: 'true' } }],
    changes: isOurs ? [] : ['maintained by lakejobs from now on'],
  }
}

export interface TagOptions {
  readonly name: string
  /** The snapshot that gets it; undefined: the newest of main. */
  readonly snapshotId: bigint | undefined
  readonly isDrop: boolean
}

/** Makes a tag, which keeps its snapshot, or drops it. Errors: usage and data, for what is there or is not. */
export function planTag(table: Table, { name, snapshotId, isDrop }: TagOptions): RefPlan {
  const { metadata } = table
  const known = refOf(metadata, name)
  const text = tableText(table.identifier)
  if (isDrop) {
    if (known?.type !== 'tag')
      throw dataError(`table ${text} has no tag ${name}`, { field: '--name', fix: tagsOf(table) })
    return {
      requirements: [refIs(name, known['snapshot-id'])],
      updates: [{ action: 'remove-snapshot-ref', 'ref-name': name }],
      changes: [`drop tag ${name} of snapshot ${known['snapshot-id']}`],
    }
  }
  if (known !== undefined)
    throw usageError(
      `table ${text} has a ${known.type} ${name} already, of snapshot ${known['snapshot-id']}`,
      {
        field: '--name',
        fix: known.type === 'tag' ? 'drop it first with --drop, or give another name' : 'give another name',
      },
    )
  const { snapshot } = chooseSnapshot(
    text,
    metadata,
    snapshotId === undefined ? { kind: 'ref', name: mainBranch } : { kind: 'id', id: snapshotId },
  )
  if (snapshot === undefined)
    throw dataError(`table ${text} has no snapshot that a tag could name`, { field: text })
  const id = snapshot['snapshot-id']
  return {
    requirements: [refIs(name, null)],
    updates: [{ action: 'set-snapshot-ref', 'ref-name': name, type: 'tag', 'snapshot-id': id }],
    changes: [`tag ${name} on snapshot ${id}`],
  }
}

const tagsOf = ({ metadata }: Table): string => {
  const tags = Object.entries(metadata.refs).flatMap(([name, { type }]) => (type === 'tag' ? [name] : []))
  return tags.length === 0 ? 'it has none' : `give one of ${listed(tags)}`
}

const refIs = (ref: string, id: bigint | null): TableRequirement => ({
  type: 'assert-ref-snapshot-id',
  ref,
  'snapshot-id': id,
})

export interface RollbackOptions {
  /** A snapshot, or the newest ancestor of main's up to a time in milliseconds. */
  readonly to: { readonly id: bigint } | { readonly ms: number }
  readonly allowNonAncestor: boolean
}

/**
 * Sets main to a snapshot that the table still has (lake-spec §4.7); what is known of the rows is set to it in the same commit.
 * Errors: `JobError` data, for a snapshot that is not there or no ancestor.
 */
export async function planRollback(
  table: Table,
  { to, allowNonAncestor }: RollbackOptions,
): Promise<RefPlan> {
  const { metadata, io } = table
  const text = tableText(table.identifier)
  const head = branchSnapshot(metadata, mainBranch)
  if (head === undefined)
    throw dataError(`table ${text} has no snapshot: there is nothing to roll back`, { field: text })
  const ancestors = ancestorsOf(table, head)
  const target =
    'id' in to ? snapshotById(metadata, to.id) : ancestors.find((one) => one['timestamp-ms'] <= to.ms)
  if (target === undefined)
    throw dataError(
      `table ${text} has no snapshot ${'id' in to ? to.id : `up to ${new Date(to.ms).toISOString()}`}`,
      {
        field: 'id' in to ? '--snapshot' : '--to',
        fix: `give one of ${listed(ancestors.map((one) => `${one['snapshot-id']} (${new Date(one['timestamp-ms']).toISOString()})`))}`,
      },
    )
  const id = target['snapshot-id']
  if (!ancestors.includes(target) && !allowNonAncestor)
    throw dataError(
      `snapshot ${id} of table ${text} is no ancestor of main: main never was it, or was rolled back from it`,
      {
        field: '--snapshot',
        fix: 'if it is the one that you want, say --allow-non-ancestor',
      },
    )
  if (target === head) return { requirements: [], updates: [], changes: [] }
  const main = metadata.refs[mainBranch]
  return {
    requirements: [refIs(mainBranch, head['snapshot-id'])],
    updates: [
      { ...main, action: 'set-snapshot-ref', 'ref-name': mainBranch, type: 'branch', 'snapshot-id': id },
      ...(await fingerprintUpdates({ io, metadata }, target, id)),
    ],
    changes: await differences(table, head, target),
  }
}

function ancestorsOf({ metadata }: Table, head: Snapshot): Snapshot[] {
  const found = new Set<Snapshot>()
  for (let one: Snapshot | undefined = head; one !== undefined && !found.has(one);) {
    found.add(one)
    one = snapshotById(metadata, one['parent-snapshot-id'])
  }
  return [...found]
}

/**
 * What readers will see instead: snapshot, rows, and partitions whose files differ. Of a snapshot that cannot be read, which may be
 * why it is left, the first alone and the reason.
 */
async function differences(table: Table, from: Snapshot, to: Snapshot): Promise<string[]> {
  const planOf = (one: Snapshot): Promise<ReadPlan> =>
    planRead(
      { ...table, name: tableText(table.identifier) },
      { choice: { kind: 'id', id: one['snapshot-id'] } },
    )
  const main = `main: snapshot ${from['snapshot-id']} → ${to['snapshot-id']} (${new Date(to['timestamp-ms']).toISOString()})`
  const [left, taken] = await Promise.all([planOf(from).catch(unreadable), planOf(to)])
  if (left instanceof JobError)
    return [main, `snapshot ${from['snapshot-id']} cannot be read: ${left.message}`]
  const [before, after] = [left, taken].map(
    ({ files }) => new Map(files.map((one) => [one.file.filePath, one])),
  )
  const changed = [
    ...[...before!.values()].filter(({ file }) => !after!.has(file.filePath)),
    ...[...after!.values()].filter(({ file }) => !before!.has(file.filePath)),
  ]
  const partitions = [...new Set(changed.map((planned) => partitionOf(table, planned)))].sort()
  const count = (rows: number | undefined): string => (rows === undefined ? 'unknown' : String(rows))
  return [
    main,
    `rows: ${count(countOf(left))} → ${count(countOf(taken))}`,
    ...(partitions.length > 0 ? [`changes: ${listed(partitions)}`] : []),
  ]
}

/** Errors: what is no fault of a snapshot's files. */
function unreadable(error: unknown): JobError {
  if (error instanceof JobError && error.code === 'data') return error
  throw error
}

function partitionOf({ metadata }: Table, { file }: PlannedFile): string {
  const { type } = specTypeOf(metadata, file.specId)
  return partitionPath(type, file.partition) || 'the whole table'
}
