import { dataError } from '../errors.ts'
import type { Table } from '../iceberg/catalog/catalog.ts'
import { branchSnapshot, mainBranch } from '../iceberg/metadata.ts'
import { mayMatch, positionOf, type RowFilter } from '../iceberg/row-filter.ts'
import { hasLiveEntries, isLive, readManifest, readManifestList, specTypeOf } from '../iceberg/table-files.ts'

/** Rows and files of a table that a filter removes, by its manifests alone. */
export interface ScopeSize {
  readonly rows: number
  readonly files: number
}

export async function scopeSize({ io, metadata }: Table, filter: RowFilter): Promise<ScopeSize> {
  let rows = 0
  let files = 0
  const manifests = await readManifestList(io, branchSnapshot(metadata, mainBranch))
  for (const manifest of manifests.filter((one) => one.content === 0 && hasLiveEntries(one))) {
    const { type } = specTypeOf(metadata, manifest.partitionSpecId)
    if (!mayMatch(filter, manifest.partitions, type)) continue
    for (const { dataFile } of (await readManifest(io, metadata, manifest)).filter(isLive)) {
      if (positionOf(filter, dataFile, type) === 'outside') continue
      rows += dataFile.recordCount
      files++
    }
  }
  return { rows, files }
}

/**
 * Refuses to replace rows by far fewer: a source that was emptied by mistake must not empty the lake
 * (operations-spec §1.6). `maxShrink` is the share of the rows that may go.
 */
export function assertNoShrink(table: string, before: number, after: number, maxShrink: number): void {
  if (maxShrink >= 1 || before === 0) return
  if (after > 0 && after >= before * (1 - maxShrink)) return
  throw dataError(`${table}: ${before} rows would be replaced by ${after}`, {
    field: table,
    fix: `check the source; if it is right, allow it with --max-shrink 100%`,
  })
}
