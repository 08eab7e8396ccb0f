import { addDays, dayOf, firstDay, isDay, msPerDay, type Day, type DayRange } from '../../calendar.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { specTypeOf } from '../../iceberg/manifest/table-files.ts'
import { currentSchema, defaultSpec, type TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { partitionPath } from '../../iceberg/partition/partition-path.ts'
import { fieldById } from '../../iceberg/schema/schema.ts'
import { hasDeletes, type PlannedFile } from '../../lake/read-plan.ts'
import { otherRead } from '../../provenance/provenance.ts'
import { defined, spreadOf } from './numbers.ts'
import { ancestry } from './snapshots.ts'
import type { PartitionReport, PartitionsReport } from '../report-schema.ts'

/** A file's partition as its folder is called; `all` where there is none. */
export function partitionText(metadata: TableMetadata, { specId, partition }: DataFile): string {
  const { type } = specTypeOf(metadata, specId)
  return type.length === 0 ? 'all' : partitionPath(type, partition)
}

/** The partitions that have files, by name. */
export function partitionReports(
  metadata: TableMetadata,
  files: readonly PlannedFile[],
  smallBelow: number,
): PartitionReport[] {
  const found = new Map<string, { -readonly [Key in keyof PartitionReport]: PartitionReport[Key] }>()
  for (const planned of files) {
    const { file } = planned
    const partition = partitionText(metadata, file)
    const one = found.get(partition) ?? {
      partition,
      files: 0,
      rows: 0,
      bytes: 0,
      smallFiles: 0,
      filesWithDeletes: 0,
    }
    found.set(partition, one)
    one.files++
    one.rows += file.recordCount
    one.bytes += file.fileSizeInBytes
    if (file.fileSizeInBytes < smallBelow) one.smallFiles++
    if (hasDeletes(planned)) one.filesWithDeletes++
  }
  return [...found.values()].sort((a, b) => (a.partition < b.partition ? -1 : 1))
}

/** What there is to say of all partitions together. `snapshotId` is that whose files these are. */
export function partitionsReport(
  metadata: TableMetadata,
  files: readonly PlannedFile[],
  partitions: readonly PartitionReport[],
  snapshotId: bigint | undefined,
): PartitionsReport {
  const spec = defaultSpec(metadata)
  const largest = partitions.reduce<PartitionReport | undefined>(
    (most, one) => (most === undefined || one.rows > most.rows ? one : most),
    undefined,
  )
  return defined({
    by: spec.fields.map(({ transform, 'source-id': source }) => {
      const column = nameOf(metadata, source)
      if (transform === 'identity') return column
      const [, name = transform, parameter] = /^(\w+)\[(\d+)\]$/.exec(transform) ?? []
      return parameter === undefined ? `${name}(${column})` : `${name}(${parameter}, ${column})`
    }),
    count: partitions.length,
    rows: spreadOf(partitions.map(({ rows }) => rows)),
    bytes: spreadOf(partitions.map(({ bytes }) => bytes)),
    largest: largest && { partition: largest.partition, rows: largest.rows },
    otherSpecFiles: files.filter(({ file }) => file.specId !== spec['spec-id']).length,
    days: daysReport(metadata, files, snapshotId),
  })
}

const nameOf = (metadata: TableMetadata, id: number): string =>
  fieldById(currentSchema(metadata), id)?.name ??
  metadata.schemas.map((schema) => fieldById(schema, id)?.name).find((name) => name !== undefined) ??
  `column ${id}`

/** The days of a table that is partitioned by day; undefined for others, and where no file has one. */
function daysReport(
  metadata: TableMetadata,
  files: readonly PlannedFile[],
  snapshotId: bigint | undefined,
): PartitionsReport['days'] {
  const spec = defaultSpec(metadata)
  const { type } = specTypeOf(metadata, spec['spec-id'])
  const at = type.findIndex(
    ({ transform, type: { kind } }) =>
      transform.kind === 'day' || (transform.kind === 'identity' && kind === 'date'),
  )
  if (at < 0) return undefined
  const present = new Set<number>()
  for (const { file } of files) {
    const value = file.specId === spec['spec-id'] ? file.partition[at] : undefined
    if (typeof value === 'number' && isDay(dayText(value))) present.add(value)
  }
  const numbers = [...present].sort((a, b) => a - b)
  const [first, last] = [numbers[0], numbers.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const gaps = numbers.flatMap((number, index) => {
    const next = numbers[index + 1]
    return next === undefined || next === number + 1
      ? []
      : [{ from: dayText(number + 1), to: dayText(next - 1) }]
  })
  const missing = gaps.length === 0 ? [] : without(gaps, coveredDays(metadata, snapshotId))
  const missingDays = lengthOf(missing)
  return {
    column: nameOf(metadata, type[at]!.sourceId),
    first: dayText(first),
    last: dayText(last),
    missing,
    missingDays,
    emptyDays: lengthOf(gaps) - missingDays,
  }
}

const dayText = (days: number): Day => {
  const date = new Date(days * msPerDay)
  return Number.isNaN(date.getTime()) ? '' : dayOf(date)
}

/** Days that an export of ours has read: where the table has no row of them, the source had none. */
function coveredDays(metadata: TableMetadata, snapshotId: bigint | undefined): DayRange[] {
  const before = ancestry(metadata, snapshotId)
  return metadata.snapshots.flatMap((snapshot): readonly DayRange[] => {
    const read = before.has(snapshot['snapshot-id']) ? otherRead(snapshot.summary) : undefined
    if (read?.replaced !== 'full') return read?.replaced ?? []
    // The day of the read was not over.
    return [{ from: firstDay, to: addDays(read.sourceTime.slice(0, 10), -1) }]
  })
}

/** What is left of ranges (ascending, with gaps between them) when others, in any order, are taken out. */
export function without(ranges: readonly DayRange[], taken: readonly DayRange[]): DayRange[] {
  let left = [...ranges]
  for (const { from, to } of taken) {
    left = left.flatMap((range) =>
      to < range.from || range.to < from
        ? [range]
        : [
            ...(range.from < from ? [{ from: range.from, to: addDays(from, -1) }] : []),
            ...(to < range.to ? [{ from: addDays(to, 1), to: range.to }] : []),
          ],
    )
    if (left.length === 0) break
  }
  return left
}

const lengthOf = (ranges: readonly DayRange[]): number =>
  ranges.reduce(
    (days, { from, to }) => days + 1 + Math.round((Date.parse(to) - Date.parse(from)) / msPerDay),
    0,
  )
