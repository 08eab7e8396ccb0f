import { rangesOf, type Day } from '../../calendar.ts'
import { mapConcurrently } from '../../concurrency.ts'
import { alwaysTrue } from '../../iceberg/expression/predicate.ts'
import type { Table } from '../../iceberg/catalog/catalog.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { daysFilter } from '../days-filter.ts'
import { extentOfUnit, intersection, isNothing, type Extent } from '../extent.ts'
import { hasRowsOf } from '../known-rows.ts'
import type { Replaced, SourceRead } from '../provenance.ts'
import { currentRows } from '../table-rows.ts'
import { extentOfFile } from '../unit-of-file.ts'
import { filesInScope } from './shrink-guard.ts'

/** Days of a column. */
export interface ColumnDays {
  readonly column: NestedField
  readonly all: readonly Day[]
}

/** Why a file does not count as it stands. */
export interface FaultyFile {
  readonly location: string
  readonly reason: string
}

/** Files that are looked at together. */
const statsAtOnce = 16

/**
 * What is left to be replaced when rows that are in the table as they were read stay (lake-spec §4.9, operations-spec §1.8):
 * days, or everything, or nothing (`[]`). A day, or the whole table, stays where a fingerprint of ours that is still valid, of
 * the same source, read in the same way, is the one of `read`, and every one of its files is of the spec `specId` and lies in
 * the store with its size. `say` is told of files for which that does not hold.
 */
export async function leftToReplace(
  table: Pick<Table, 'io' | 'metadata'>,
  days: ColumnDays | undefined,
  specId: number,
  read: SourceRead,
  say: (file: FaultyFile) => void,
): Promise<Replaced> {
  const isThere = hasRowsOf(await currentRows(table, read), read)
  const candidates = days && daysThere(days.all, isThere)
  if (candidates === undefined && !isThere('full')) return 'full'
  if (days !== undefined && candidates?.length === 0) return rangesOf(days.all)
  const filter =
    days === undefined || candidates === undefined
      ? alwaysTrue
      : daysFilter(days.column, rangesOf(candidates))
  const faulty: Extent[] = []
  const files = await filesInScope(table, filter)
  await mapConcurrently(files, statsAtOnce, async (file) => {
    const reason = await faultOf(table.io, file, specId)
    if (reason === undefined) return
    say({ location: file.filePath, reason })
    faulty.push(extentOfFile(table.metadata, file, days?.column.id))
  })
  if (days === undefined) return faulty.length === 0 ? [] : 'full'
  const stays = candidates?.filter((day) =>
    faulty.every((extent) => isNothing(intersection(extent, extentOfUnit({ kind: 'day', day })))),
  )
  return rangesOf(days.all.filter((day) => stays?.includes(day) !== true))
}

/** Of old days only their month's rows are known, of still older ones only those of all months together. */
function daysThere(days: readonly Day[], isThere: (replaced: Replaced) => boolean): readonly Day[] {
  if (isThere(rangesOf(days))) return days
  const months = new Map<string, Day[]>()
  for (const day of days) {
    const month = months.get(day.slice(0, 7))
    if (month === undefined) months.set(day.slice(0, 7), [day])
    else month.push(day)
  }
  return [...months.values()].flatMap((month) =>
    isThere(rangesOf(month)) ? month : month.filter((day) => isThere(rangesOf([day]))),
  )
}

async function faultOf(io: Table['io'], file: DataFile, specId: number): Promise<string | undefined> {
  if (file.specId !== specId) return 'it is partitioned by an older spec'
  const found = await io.stat(canonicalLocation(file.filePath))
  if (found === undefined) return 'it is not there'
  return found.size === file.fileSizeInBytes
    ? undefined
    : `it has ${found.size} bytes, and had ${file.fileSizeInBytes} when it was written`
}
