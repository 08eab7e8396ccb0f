import {
  branchSnapshot,
  mainBranch,
  snapshotById,
  type TableMetadata,
} from '../../iceberg/metadata/metadata.ts'
import { otherRead, type OtherRead } from '../../provenance/provenance.ts'

/** The newest read of ours that main's snapshots tell of; undefined where none is left. */
export function newestRead(metadata: TableMetadata): OtherRead | undefined {
  let snapshot = branchSnapshot(metadata, mainBranch)
  while (snapshot !== undefined) {
    const read = otherRead(snapshot.summary)
    if (read?.fingerprints !== undefined) return read
    snapshot = snapshotById(metadata, snapshot['parent-snapshot-id'])
  }
  return undefined
}
