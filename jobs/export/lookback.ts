import type { Day } from '../calendar.ts'
import type { Table } from '../iceberg/catalog/catalog.ts'
import { touchedFiles } from '../iceberg/conflicts.ts'
import { branchSnapshot, mainBranch, snapshotById } from '../iceberg/metadata.ts'
import { positionOf } from '../iceberg/row-filter.ts'
import type { NestedField } from '../iceberg/types.ts'
import { daysFilter, rangesOf } from './day-range.ts'
import { fingerprintOfDay, sameFingerprint } from './fingerprint-text.ts'
import { covers, otherRead, type OtherRead, type SourceRead } from './provenance.ts'

/** Snapshots of others are looked into, file by file; behind that many of them every day counts as changed. */
const mostForeign = 100

/**
 * Those of `days` whose rows are in the table as they were read: the newest snapshot that concerns the day is one of ours,
 * of the same source, and its fingerprint of the day is the one of `read` (operations-spec §1.8). A day that another's
 * commit has touched since, that was never exported, or whose history has expired is not among them.
 */
export async function unchangedDays(
  { io, metadata }: Table,
  column: NestedField,
  days: readonly Day[],
  read: SourceRead,
): Promise<Day[]> {
  const undecided = new Set(days)
  const unchanged: Day[] = []
  let foreign = 0
  for (
    let snapshot = branchSnapshot(metadata, mainBranch);
    snapshot !== undefined && undecided.size > 0;
    snapshot = snapshotById(metadata, snapshot['parent-snapshot-id'])
  ) {
    const other = otherRead(snapshot.summary)
    if (other?.source === read.source) {
      for (const day of coveredBy(other, undecided)) {
        undecided.delete(day)
        if (isSame(other, read, day)) unchanged.push(day)
      }
      continue
    }
    // Compaction moves rows between files and changes none.
    if (snapshot.summary['operation'] === 'replace') continue
    if (++foreign > mostForeign) break
    const filter = daysFilter(column, rangesOf([...undecided].sort()))
    for await (const { dataFile, type } of touchedFiles(io, metadata, snapshot, filter)) {
      for (const day of [...undecided]) {
        if (positionOf(daysFilter(column, [{ from: day, to: day }]), dataFile, type) !== 'outside')
          undecided.delete(day)
      }
    }
  }
  return unchanged.sort()
}

const coveredBy = ({ replaced }: OtherRead, days: ReadonlySet<Day>): Day[] =>
  [...days].filter((day) => covers(replaced, [{ from: day, to: day }]))

/** Whether both reads found the same rows in a day, in the same columns. */
export function isSame({ fingerprints }: OtherRead, { intervals, fieldIds }: SourceRead, day: Day): boolean {
  if (fingerprints?.columns.join() !== fieldIds.join()) return false
  const before = fingerprintOfDay(fingerprints, day)
  const now = intervals.get(day) ?? {
    rows: 0,
    nulls: fieldIds.map(() => 0),
    sum: [0, 0, 0, 0],
  }
  return before !== undefined && sameFingerprint(before, now)
}
