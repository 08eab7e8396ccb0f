import type { Table } from '../iceberg/catalog/catalog.ts'
import {
  branchSnapshot,
  defaultSpec,
  mainBranch,
  snapshotById,
  type Snapshot,
  type TableMetadata,
} from '../iceberg/metadata/metadata.ts'
import { specTypeOf } from '../iceberg/manifest/table-files.ts'
import type { TableUpdate } from '../iceberg/metadata/updates.ts'
import { ownEntries } from '../iceberg/snapshot/conflicts.ts'
import { everything, nothing, union, type Extent } from './extent.ts'
import {
  afterOthers,
  afterWrite,
  nothingKnown,
  partOfOther,
  partOfRead,
  type KnownPart,
  type KnownRows,
} from './known-rows.ts'
import { parseKnown, printKnown, type KnownText } from './known-text.ts'
import { otherRead, type Replaced, type SourceRead } from './provenance.ts'
import { extentOfFile } from './unit-of-file.ts'

/**
 * The property of a table in which its valid fingerprints are (lake-spec §2.3): interval → source, columns, checksum, as of
 * one snapshot. Summaries go with their snapshots; this stays.
 */
export const fingerprintsProperty = 'lakejobs.fingerprints'

/** What is known of a table's rows as of one snapshot, and how they were read. */
export interface TableRows extends KnownRows {
  /** How our newest export read its source; undefined: nothing tells. */
  readonly newest:
    (Pick<KnownPart, 'source' | 'readAs'> & { readonly columns: readonly number[] | undefined }) | undefined
  /** The id of the column by whose days rows are told apart; undefined: they are not. */
  readonly day: number | undefined
}

/** Snapshots of others that are looked into; behind so many nothing is known. */
const mostForeign = 100

/**
 * Goes back from a snapshot along its parents to the one that the table's property is as of, or that replaced everything,
 * and puts together what the exports of ours since say in their summaries, and what others have touched. Compactions
 * (`replace`) have changed no row, whoever made them. Only the manifests that snapshots of others added are read. `day`:
 * that of an export which comes on top; otherwise the newest export's, else the table's partitioning by day.
 */
export async function readTableRows(
  { io, metadata }: Pick<Table, 'io' | 'metadata'>,
  snapshot: Snapshot | undefined,
  next?: Pick<SourceRead, 'readAs'>,
): Promise<TableRows> {
  const property = parseKnown(metadata.properties[fingerprintsProperty] ?? '')
  const ancestry = [...ancestors(metadata, snapshot)].filter(
    ({ summary }) => summary['operation'] !== 'replace',
  )
  const read = ancestry.map(({ summary }) => otherRead(summary)).find((found) => found !== undefined)
  const newest = read === undefined ? property?.parts[0] : { ...read, columns: read.fingerprints?.columns }
  const readAs = next?.readAs ?? newest?.readAs
  const day = readAs === undefined ? dayOfSpec(metadata) : readAs.day
  const { layers, base } = since(metadata, snapshot, property)
  let known: KnownRows = {
    parts: base.filter((part) => part.readAs === undefined || part.readAs.day === day),
    lost: [],
  }
  const foreign = layers.filter((layer) => writtenBy(layer, day) === undefined)
  for (const layer of layers.reverse()) {
    const id = layer['snapshot-id']
    const part = writtenBy(layer, day)
    const operation = layer.summary['operation'] ?? ''
    if (part === 'untold') known = afterOthers(known, everything, `snapshot ${id} tells no fingerprint`)
    else if (part !== undefined) known = afterWrite(known, part, id)
    else {
      const isIdle = known.parts.length === 0 || foreign.indexOf(layer) >= mostForeign
      const touched = isIdle ? everything : await touchedBy(io, metadata, layer, day)
      known = afterOthers(known, touched, `written by others: snapshot ${id} (${operation})`)
    }
  }
  return { ...known, newest, day }
}

/**
 * The update by which a commit keeps the fingerprints of the table valid: those that still are, without what others
 * have touched since, and what the commit itself writes. `snapshotId` is the commit's snapshot, or the current one where it
 * makes none (before snapshots expire). For `SnapshotRequest.updatesUpon`.
 */
export async function fingerprintUpdates(
  table: Pick<Table, 'io' | 'metadata'>,
  parent: Snapshot | undefined,
  snapshotId: bigint,
  written?: { readonly read: SourceRead; readonly replaced: Replaced },
): Promise<TableUpdate[]> {
  const before =
    written?.replaced === 'full' ? nothingKnown : await readTableRows(table, parent, written?.read)
  const { parts } =
    written === undefined
      ? before
      : afterWrite(before, partOfRead(written.read, written.replaced), snapshotId)
  return propertyUpdates(table, snapshotId, parts)
}

/** The same for a commit that removes rows: nothing is known of them from then on. */
export async function updatesWithout(
  table: Pick<Table, 'io' | 'metadata'>,
  parent: Snapshot | undefined,
  snapshotId: bigint,
  gone: Extent,
): Promise<TableUpdate[]> {
  const { parts } = afterOthers(await readTableRows(table, parent), gone, 'they were removed')
  return propertyUpdates(table, snapshotId, parts)
}

function propertyUpdates(
  { metadata }: Pick<Table, 'metadata'>,
  snapshotId: bigint,
  parts: readonly KnownPart[],
): TableUpdate[] {
  const text = printKnown({ snapshotId, parts })
  if (text !== undefined) return [{ action: 'set-properties', updates: { [fingerprintsProperty]: text } }]
  return fingerprintsProperty in metadata.properties
    ? [{ action: 'remove-properties', removals: [fingerprintsProperty] }]
    : []
}

/** What is known of the rows of a table's main branch now. */
export const currentRows = (table: Pick<Table, 'io' | 'metadata'>, next?: SourceRead): Promise<TableRows> =>
  readTableRows(table, branchSnapshot(table.metadata, mainBranch), next)

function* ancestors(metadata: TableMetadata, newest: Snapshot | undefined): Iterable<Snapshot> {
  for (let one = newest; one !== undefined; one = snapshotById(metadata, one['parent-snapshot-id'])) yield one
}

/** The snapshots whose changes are to be looked at, the newest first, and what was known before them. */
function since(
  metadata: TableMetadata,
  newest: Snapshot | undefined,
  property: KnownText | undefined,
): { readonly layers: Snapshot[]; readonly base: readonly KnownPart[] } {
  const layers: Snapshot[] = []
  let parent = newest?.['snapshot-id']
  for (const one of ancestors(metadata, newest)) {
    if (one['snapshot-id'] === property?.snapshotId) break
    parent = one['parent-snapshot-id']
    // Compaction moves rows between files and changes none.
    if (one.summary['operation'] === 'replace') continue
    layers.push(one)
    if (otherRead(one.summary)?.replaced === 'full') return { layers, base: nothingKnown.parts }
  }
  // The property's own snapshot may have expired, as long as it is known that nothing came between.
  const isBase = property !== undefined && parent === property.snapshotId
  return { layers, base: isBase ? property.parts : nothingKnown.parts }
}

/** What an export of ours wrote by its summary; undefined: it is another's, or of other days than those of `day`. */
function writtenBy({ summary }: Snapshot, day: number | undefined): KnownPart | 'untold' | undefined {
  const read = otherRead(summary)
  if (read === undefined) return undefined
  const part = partOfOther(read)
  const isSameDay = read.readAs === undefined || read.readAs.day === day
  if (part === undefined || !isSameDay) return read.replaced === 'full' ? 'untold' : undefined
  return part
}

const dayOfSpec = (metadata: TableMetadata): number | undefined =>
  specTypeOf(metadata, defaultSpec(metadata)['spec-id']).type.find(
    ({ transform }) => transform.kind === 'day',
  )?.sourceId

async function touchedBy(
  io: Table['io'],
  metadata: TableMetadata,
  snapshot: Snapshot,
  day: number | undefined,
): Promise<Extent> {
  let touched = nothing
  for await (const { dataFile } of ownEntries(io, metadata, snapshot, () => true))
    touched = union(touched, extentOfFile(metadata, dataFile, day))
  return touched
}
