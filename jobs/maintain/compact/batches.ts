import type { ManifestEntry } from '../../iceberg/manifest/data-file.ts'
import type { CompactionGroup, CompactionPlan } from '../../lake/upkeep/compaction.ts'

/** What one commit does. */
export interface Batch {
  readonly groups: readonly CompactionGroup[]
  /** Delete files without anything to apply to, which go as well. */
  readonly dangling: readonly ManifestEntry[]
}

/** A minute or two of work: what is not committed when a run is killed is done again. */
const usualBytes = 2 * 2 ** 30
const mostGroups = 64

export const nothingMore = ({ groups, dangling }: CompactionPlan): boolean =>
  groups.length === 0 && dangling.length === 0

/** The groups of a plan, in their order, by what is committed at once; dangling deletes with the first. */
export function batchesOf({ groups, dangling }: CompactionPlan, batchBytes = usualBytes): Batch[] {
  const batches: CompactionGroup[][] = [[]]
  let bytes = 0
  for (const group of groups) {
    const last = batches.at(-1)!
    if (last.length > 0 && (bytes + group.bytes > batchBytes || last.length >= mostGroups)) {
      batches.push([group])
      bytes = group.bytes
    } else {
      last.push(group)
      bytes += group.bytes
    }
  }
  return batches.map((own, at) => ({ groups: own, dangling: at === 0 ? dangling : [] }))
}
