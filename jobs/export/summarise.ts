import type { CommitResult } from '../iceberg/commit.ts'
import type { TableSummary } from '../summary.ts'
import type { StagedTable } from './commit-table.ts'
import { rangesOf } from './day-range.ts'
import type { ExportOptions } from './options.ts'
import { isIn, rowsOf, type SourceRead } from './provenance.ts'
import type { PlainDecision, PublishedPlain } from './publish-plain.ts'
import type { Scope } from './scope.ts'

/** What became of the formats that were asked for. */
export interface Written {
  readonly staged: StagedTable | undefined
  readonly committed: Exclude<CommitResult, { kind: 'superseded' }> | undefined
  readonly plain: readonly PlainDecision[] | undefined
  readonly published: PublishedPlain | undefined
}

/** A table's part of the run's summary; `rows` are those of the days that were replaced in any format. */
export function summarise(
  table: string,
  { scope: { mode }, onlyChanged }: ExportOptions,
  { days }: Scope,
  read: SourceRead,
  { staged, committed, plain, published }: Written,
): TableSummary {
  const isWritten = (day: string): boolean =>
    (staged !== undefined && isIn(staged.replaced, day)) ||
    (plain ?? []).some(({ unit, unchanged }) => unit.day === day && !unchanged)
  const writtenDays = days?.all.filter(isWritten)
  const snapshotId = committed?.kind === 'committed' ? String(committed.snapshot['snapshot-id']) : undefined
  const metadataLocation = committed?.table.metadataLocation
  const dataFiles = staged?.addFiles ?? []
  const [parquetLocation] = published?.locations ?? []
  const isSuperseded =
    staged === undefined && published?.locations.length === 0 && published.superseded.length > 0
  return {
    table,
    status: isSuperseded ? 'superseded' : 'ok',
    mode,
    rows: rowsOf(read, writtenDays === undefined ? 'full' : rangesOf(writtenDays)),
    ...(onlyChanged && days && writtenDays ? { unchangedDays: days.all.length - writtenDays.length } : {}),
    bytes: dataFiles.reduce((sum, file) => sum + file.fileSizeInBytes, 0) + (published?.bytes ?? 0),
    files: dataFiles.length + (published?.locations.length ?? 0),
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(metadataLocation === undefined ? {} : { metadataLocation }),
    ...(parquetLocation === undefined ? {} : { parquetLocation }),
  }
}
