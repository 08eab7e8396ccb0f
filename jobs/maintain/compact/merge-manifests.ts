import { effectsOf, type JobContext } from '../../context.ts'
import { tableText, type Catalog, type Table } from '../../iceberg/catalog/catalog.ts'
import type { ManifestFile } from '../../iceberg/manifest/data-file.ts'
import { planMerge } from '../../iceberg/manifest/merging.ts'
import { hasLiveEntries, readManifestList } from '../../iceberg/manifest/table-files.ts'
import { snapshotById, type Snapshot } from '../../iceberg/metadata/metadata.ts'
import { commitSnapshot } from '../../iceberg/snapshot/commit.ts'
import { mergeManifests } from '../../iceberg/snapshot/operations.ts'
import { fingerprintUpdates } from '../../provenance/table-rows.ts'
import type { Maintained } from '../../summary.ts'
import { none, plus, type Amount } from '../tally.ts'

export type Merged = NonNullable<Maintained['mergedManifests']>

const listOf = ({ io }: Table, snapshot: Snapshot | undefined): Promise<ManifestFile[]> =>
  readManifestList(io, snapshot)

const amountOf = (manifests: readonly ManifestFile[]): Amount =>
  manifests.reduce((sum, { manifestLength: bytes }) => plus(sum, { files: 1, bytes }), none)

/** What putting a table's manifests together would do; undefined: nothing. `manifests` are those with live files. */
export function plannedMerge(
  { metadata }: Pick<Table, 'metadata'>,
  manifests: readonly ManifestFile[],
): Merged | undefined {
  const groups = planMerge(metadata.properties, manifests)
  if (groups.length === 0) return undefined
  const from = amountOf(groups.flat())
  return { from, to: { files: groups.length, bytes: from.bytes }, commits: 0 }
}

/**
 * Puts a table's small manifests together, in a commit of its own that changes no file and no row (lake-spec §4.2); those of
 * before go when their snapshots expire. Undefined where there was nothing to do. Errors: `commitSnapshot`'s.
 */
export async function mergeTableManifests(
  table: Table,
  catalog: Catalog,
  context: JobContext,
): Promise<{ readonly table: Table; readonly merged: Merged } | undefined> {
  const request = mergeManifests({
    metadata: table.metadata,
    updatesUpon: ({ parent, snapshotId, ...base }) => fingerprintUpdates(base, parent, snapshotId),
  })
  const result = await commitSnapshot(catalog, table, request, effectsOf(context))
  if (result.kind !== 'committed') return undefined
  const { table: committed, snapshot } = result
  const parent = snapshotById(committed.metadata, snapshot['parent-snapshot-id'])
  const [before, after] = [await listOf(committed, parent), await listOf(committed, snapshot)]
  const stays = new Set(after.map(({ manifestPath }) => manifestPath))
  const from = amountOf(before.filter((one) => hasLiveEntries(one) && !stays.has(one.manifestPath)))
  const to = amountOf(after.filter(({ addedSnapshotId }) => addedSnapshotId === snapshot['snapshot-id']))
  const fields = { table: tableText(table.identifier), from: from.files, to: to.files }
  context.logger.info(fields, 'manifests put together')
  return { table: committed, merged: { from, to, commits: 1 } }
}
