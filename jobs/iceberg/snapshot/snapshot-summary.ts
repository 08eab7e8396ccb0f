import { partitionKey } from '../partition/partition-value.ts'
import { fileContent, type DataFile } from '../manifest/data-file.ts'

export type Operation = 'append' | 'overwrite' | 'delete' | 'replace'

/** The operation that the files really amount to (spec "Snapshots"); undefined when nothing changes. */
export function actualOperation(
  wanted: Operation,
  added: readonly DataFile[],
  removed: readonly DataFile[],
): Operation | undefined {
  if (added.length === 0 && removed.length === 0) return undefined
  if (wanted === 'replace') return 'replace'
  if (removed.length === 0) return 'append'
  return added.length === 0 ? 'delete' : 'overwrite'
}

/** What one file adds to the counters, by the counter's name without `added-`, `deleted-` or `total-`. */
interface Counts {
  dataFiles: number
  records: number
  size: number
  deleteFiles: number
  positionDeleteFiles: number
  positionDeletes: number
  equalityDeleteFiles: number
  equalityDeletes: number
}

function counted(files: readonly DataFile[]): Counts {
  const counts: Counts = {
    dataFiles: 0,
    records: 0,
    size: 0,
    deleteFiles: 0,
    positionDeleteFiles: 0,
    positionDeletes: 0,
    equalityDeleteFiles: 0,
    equalityDeletes: 0,
  }
  for (const file of files) {
    counts.size += file.fileSizeInBytes
    if (file.content === fileContent.data) {
      counts.dataFiles++
      counts.records += file.recordCount
      continue
    }
    counts.deleteFiles++
    if (file.content === fileContent.positionDeletes) {
      counts.positionDeleteFiles++
      counts.positionDeletes += file.recordCount
    } else {
      counts.equalityDeleteFiles++
      counts.equalityDeletes += file.recordCount
    }
  }
  return counts
}

/**
 * A snapshot's summary under the names that Java and PyIceberg use; all values are strings. `previous` is the
 * parent's summary (undefined: no parent); a total that it lacks stays unknown, except when `removesAll`:
 * then the added files are the whole table.
 */
export function snapshotSummary(
  operation: Operation,
  added: readonly DataFile[],
  removed: readonly DataFile[],
  previous: Readonly<Record<string, string>> | undefined,
  removesAll: boolean,
): Record<string, string> {
  const plus = counted(added)
  const minus = counted(removed)
  const changes: [name: string, count: number][] = [
    ['added-data-files', plus.dataFiles],
    ['added-records', plus.records],
    ['added-files-size', plus.size],
    ['added-delete-files', plus.deleteFiles],
    ['added-position-delete-files', plus.positionDeleteFiles],
    ['added-position-deletes', plus.positionDeletes],
    ['added-equality-delete-files', plus.equalityDeleteFiles],
    ['added-equality-deletes', plus.equalityDeletes],
    ['deleted-data-files', minus.dataFiles],
    ['deleted-records', minus.records],
    ['removed-files-size', minus.size],
    ['removed-delete-files', minus.deleteFiles],
    ['removed-position-delete-files', minus.positionDeleteFiles],
    ['removed-position-deletes', minus.positionDeletes],
    ['removed-equality-delete-files', minus.equalityDeleteFiles],
    ['removed-equality-deletes', minus.equalityDeletes],
    ['changed-partition-count', changedPartitions([...added, ...removed])],
  ]
  const totals: [name: string, plus: number, minus: number][] = [
    ['total-data-files', plus.dataFiles, minus.dataFiles],
    ['total-records', plus.records, minus.records],
    ['total-files-size', plus.size, minus.size],
    ['total-delete-files', plus.deleteFiles, minus.deleteFiles],
    ['total-position-deletes', plus.positionDeletes, minus.positionDeletes],
    ['total-equality-deletes', plus.equalityDeletes, minus.equalityDeletes],
  ]
  const summary: Record<string, string> = { operation }
  for (const [name, count] of changes) if (count > 0) summary[name] = String(count)
  for (const [name, gained, lost] of totals) {
    const before = removesAll ? lost : Number(previous === undefined ? 0 : (previous[name] ?? Number.NaN))
    const total = before + gained - lost
    if (total >= 0) summary[name] = String(total)
  }
  return summary
}

const changedPartitions = (files: readonly DataFile[]): number =>
  new Set(files.map(({ specId, partition }) => partitionKey(specId, partition))).size
