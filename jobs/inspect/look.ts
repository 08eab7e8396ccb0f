import { dataError } from '../errors.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { planRead, type ReadPlan } from '../lake/read-plan.ts'
import type { SnapshotChoice } from '../lake/snapshot-choice.ts'
import { canonicalLocation } from '../storage/place.ts'

/** A table's metadata as they were read, and when: nothing more is asked of the store for its report. */
export interface Looked {
  readonly name: string
  readonly table: Table
  readonly plan: ReadPlan
  /** Sizes of the metadata file and of the snapshot's manifest list. */
  readonly metadataBytes: number | undefined
  readonly listBytes: number | undefined
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** Later ones may have moved what is looked at. */
const newestVersion = 3

/**
 * Reads what a report needs: the manifests of one snapshot, and no data file. Errors: `JobError` data for a snapshot that is
 * not there, metadata of a newer format, and a manifest that is missing or damaged.
 */
export async function look(table: Table, choice: SnapshotChoice, now: Date): Promise<Looked> {
  const { identifier, metadata, metadataLocation, io } = table
  const name = tableText(identifier)
  const version = metadata['format-version']
  if (version > newestVersion)
    throw dataError(`table ${name} has format version ${version}, of which this version knows nothing`, {
      field: name,
      fix: 'use a newer lakejobs',
    })
  const plan = await planRead({ name, metadata, io }, { choice, tolerant: true })
  const sizeOf = async (location: string | undefined): Promise<number | undefined> =>
    location === undefined ? undefined : (await io.stat(canonicalLocation(location)))?.size
  const [metadataBytes, listBytes] = await Promise.all([
    sizeOf(metadataLocation),
    sizeOf(plan.snapshot?.['manifest-list']),
  ])
  return { name, table, plan, metadataBytes, listBytes, nowMs: now.getTime() }
}
