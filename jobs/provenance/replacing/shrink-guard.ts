import { dataError } from '../../errors.ts'
import type { Table } from '../../iceberg/catalog/catalog.ts'
import { branchSnapshot, mainBranch } from '../../iceberg/metadata/metadata.ts'
import { mayMatch, positionOf } from '../../iceberg/expression/position.ts'
import { fileContent, type DataFile } from '../../iceberg/manifest/data-file.ts'
import type { Predicate } from '../../iceberg/expression/predicate.ts'
import {
  hasLiveEntries,
  isLive,
  readManifest,
  readManifestList,
  specTypeOf,
} from '../../iceberg/manifest/table-files.ts'

/** Rows and data files of a table that a filter removes, by its manifests alone. */
export interface ScopeSize {
  readonly rows: number
  readonly files: number
}

export async function scopeSize(
  table: Pick<Table, 'io' | 'metadata'>,
  filter: Predicate,
): Promise<ScopeSize> {
  const files = (await filesInScope(table, filter)).filter(({ content }) => content === fileContent.data)
  return { rows: files.reduce((rows, { recordCount }) => rows + recordCount, 0), files: files.length }
}

/** The live files of a table's main branch that a filter removes, those with deletes too. */
export async function filesInScope(
  { io, metadata }: Pick<Table, 'io' | 'metadata'>,
  filter: Predicate,
): Promise<DataFile[]> {
  const files: DataFile[] = []
  const manifests = await readManifestList(io, branchSnapshot(metadata, mainBranch))
  for (const manifest of manifests.filter(hasLiveEntries)) {
    const { type } = specTypeOf(metadata, manifest.partitionSpecId)
    if (!mayMatch(filter, manifest.partitions, type)) continue
    for (const { dataFile } of (await readManifest(io, metadata, manifest)).filter(isLive))
      if (positionOf(filter, dataFile, type) !== 'outside') files.push(dataFile)
  }
  return files
}

/**
 * Refuses to replace rows by far fewer: a source that was emptied by mistake must not empty the lake
 * (operations-spec §1.6). `maxShrink` is the share of the rows that may go.
 */
export function assertNoShrink(
  table: string,
  before: number,
  after: number,
  maxShrink: number,
  where?: string,
): void {
  if (maxShrink >= 1 || before === 0) return
  if (after > 0 && after >= before * (1 - maxShrink)) return
  throw dataError(`${table}: ${before} rows would be replaced by ${after}`, {
    field: table,
    fix: `check the source${where === undefined ? '' : ' and --where'}; if it is right, allow it with --max-shrink 100%`,
  })
}
