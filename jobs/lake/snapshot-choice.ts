import { dataError } from '../errors.ts'
import {
  currentSchema,
  mainBranch,
  refOf,
  snapshotById,
  type Snapshot,
  type TableMetadata,
} from '../iceberg/metadata/metadata.ts'
import type { Schema } from '../iceberg/schema/schema.ts'

/** Which state of a table is read. */
export type SnapshotChoice =
  | { readonly kind: 'id'; readonly id: bigint }
  /** A branch or a tag. */
  | { readonly kind: 'ref'; readonly name: string }
  /** What `main` was at that time: milliseconds since 1970. */
  | { readonly kind: 'as-of'; readonly ms: number }

export const currentState: SnapshotChoice = { kind: 'ref', name: mainBranch }

/** A snapshot and the schema that it is read with. */
export interface ChosenSnapshot {
  /** Undefined: `main` has no snapshot yet; the table is empty. */
  readonly snapshot: Snapshot | undefined
  /** A branch is read with the table's schema, every other choice with the snapshot's own. */
  readonly schema: Schema
}

/**
 * The snapshot that a choice means, by the metadata's refs, snapshots and snapshot log. Errors: `JobError` data when
 * there is none: unknown, expired, or from before the first commit.
 */
export function chooseSnapshot(
  table: string,
  metadata: TableMetadata,
  choice: SnapshotChoice,
): ChosenSnapshot {
  if (choice.kind === 'ref') {
    const ref = refOf(metadata, choice.name)
    if (ref === undefined && choice.name === mainBranch)
      return { snapshot: undefined, schema: currentSchema(metadata) }
    if (ref === undefined)
      throw dataError(`table ${table} has no branch or tag ${choice.name}`, {
        field: choice.name,
        fix: `use one of ${shown(Object.keys(metadata.refs))}`,
      })
    const snapshot = snapshotOf(table, metadata, ref['snapshot-id'])
    return {
      snapshot,
      schema: ref.type === 'branch' ? currentSchema(metadata) : schemaOf(metadata, snapshot),
    }
  }
  const id = choice.kind === 'id' ? choice.id : idAsOf(table, metadata, choice.ms)
  const snapshot = snapshotOf(table, metadata, id)
  return { snapshot, schema: schemaOf(metadata, snapshot) }
}

function snapshotOf(table: string, metadata: TableMetadata, id: bigint): Snapshot {
  const snapshot = snapshotById(metadata, id)
  if (snapshot !== undefined) return snapshot
  const known = metadata.snapshots.map((one) => String(one['snapshot-id']))
  throw dataError(`table ${table} has no snapshot ${id}: it has expired, or never was`, {
    field: String(id),
    fix: known.length === 0 ? 'read the table as it is: it is empty' : `use one of ${shown(known.reverse())}`,
  })
}

/** The log's last entry up to that time: it tells what was current, also where the table was rolled back. */
function idAsOf(table: string, metadata: TableMetadata, ms: number): bigint {
  const log = metadata['snapshot-log']
  const entry = log.findLast((one) => one['timestamp-ms'] <= ms)
  if (entry !== undefined) return entry['snapshot-id']
  const [first] = log
  throw dataError(`table ${table} has no snapshot as of ${new Date(ms).toISOString()}`, {
    field: table,
    fix:
      first === undefined
        ? 'read the table as it is: its history is empty'
        : `ask for ${new Date(first['timestamp-ms']).toISOString()} or later: there its history begins`,
  })
}

/** Old writers did not say which schema a snapshot had. */
const schemaOf = (metadata: TableMetadata, { 'schema-id': id }: Snapshot): Schema =>
  metadata.schemas.find((schema) => schema['schema-id'] === id) ?? currentSchema(metadata)

const mostShown = 20

const shown = (names: readonly string[]): string =>
  names.length <= mostShown
    ? names.join(', ')
    : `${names.slice(0, mostShown).join(', ')} and ${names.length - mostShown} more`
