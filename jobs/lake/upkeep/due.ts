import { type Snapshot, type TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { planMerge } from '../../iceberg/manifest/merging.ts'
import { msPerDay } from '../../calendar.ts'
import { partitionKey } from '../../iceberg/partition/partition-value.ts'
import type { ReadPlan } from '../read-plan.ts'
import { planCompaction, usualCompaction, whyNotCompacted } from './compaction.ts'
import { planExpiry, type Retention } from './retention.ts'

/** What `lakejobs maintain compact` would do, by its own plan, and whether it can. */
export interface Compactable {
  readonly files: number
  readonly bytes: number
  readonly partitions: number
  /** That would be put together. */
  readonly manifests: number
  /** Undefined: it can; otherwise only others may. */
  readonly refused: { readonly why: string; readonly fix: string } | undefined
}

/** `plan` is that of all rows. */
export function compactable(
  metadata: TableMetadata,
  plan: Pick<ReadPlan, 'files' | 'deleteFiles' | 'manifests'>,
): Compactable {
  const { groups } = planCompaction(metadata, plan, { ...usualCompaction, maxRewrite: Infinity })
  return {
    files: groups.reduce((files, group) => files + group.files.length, 0),
    bytes: groups.reduce((bytes, group) => bytes + group.bytes, 0),
    partitions: new Set(groups.map(({ specId, partition }) => partitionKey(specId, partition))).size,
    manifests: planMerge(metadata.properties, plan.manifests).flat().length,
    refused: whyNotCompacted(metadata, plan),
  }
}

const monthMs = 30 * msPerDay

/** What `lakejobs maintain expire` goes by, where it is told nothing. */
const usualRetention: Retention = { olderThanMs: undefined, keep: undefined, keepBeforeShrinkMs: monthMs }

/**
 * Snapshots that `lakejobs maintain expire` would take, by its own plan, as far as summaries tell their rows. Errors: usage, for
 * a property of the table that is no number.
 */
export const expirable = (metadata: TableMetadata, nowMs: number): readonly Snapshot[] =>
  planExpiry(metadata, usualRetention, rowsOf, nowMs).remove

function rowsOf({ summary }: Snapshot): number | undefined {
  const text = summary['total-records'] ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Of metadata that every commit writes anew. */
export const muchMetadataBytes = 10 * 2 ** 20
export const manySnapshots = 1000
