import { daysBetween } from '../../calendar.ts'
import type { Schema } from '../../iceberg/schema.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { dayOfOrdinal } from '../day-range.ts'
import type { ExportScope } from '../options.ts'
import type { EncodedRows } from '../read/encode-rows.ts'
import { createPlainFile, type PlainFile } from './plain-file.ts'

/** The plain Parquet files of an export: one for the whole table, or one for each day (export-spec §2.5). */
export interface PlainFiles {
  add(rows: Pick<EncodedRows, 'partition' | 'rowGroup'>): Promise<void>
  /** Makes the files appear, one after the other. */
  publish(): Promise<{ readonly locations: readonly string[]; readonly bytes: number }>
  discard(): Promise<void>
}

export interface PlainFilesSettings {
  readonly io: FileIO
  /** The folder of all tables' plain files, a location. */
  readonly folder: string
  readonly table: string
  readonly scope: ExportScope
  /** Which field of the rows' partition is the day. */
  readonly dayField: number | undefined
  readonly columns: readonly ParquetColumn[]
  readonly schema: Schema
  readonly signal: AbortSignal
}

/**
 * `<folder>/<table>/<table>.parquet`, or `<folder>/<table>_by_day/<column>_day=D/<table>.parquet` for each day of the
 * scope, without rows where the day has none: so no glob counts a row twice.
 */
export async function createPlainFiles(
  settings: PlainFilesSettings,
  dayColumn: string | undefined,
): Promise<PlainFiles> {
  const { io, folder, table, scope, dayField } = settings
  const files = new Map<string, PlainFile>()
  const locations: string[] = []
  const open = async (name: string, location: string): Promise<void> => {
    files.set(name, await createPlainFile(io, location, settings))
    locations.push(location)
  }
  const discard = async (): Promise<void> => {
    await Promise.all([...files.values()].map((file) => file.discard()))
  }
  try {
    if (scope.mode === 'full') await open('all', `${folder}/${table}/${table}.parquet`)
    else {
      for (const day of daysBetween(scope.from, scope.to)) {
        await open(day, `${folder}/${table}_by_day/${dayColumn ?? 'day'}_day=${day}/${table}.parquet`)
      }
    }
  } catch (error) {
    await discard()
    throw error
  }
  return {
    async add({ partition, rowGroup }) {
      const day = scope.mode === 'full' ? 'all' : dayOfOrdinal(Number(partition[dayField ?? 0]))
      const file = files.get(day)
      if (file === undefined) throw new TypeError(`a row of ${day}, which was not asked for`)
      await file.add(rowGroup)
    },
    async publish() {
      let bytes = 0
      for (const file of files.values()) bytes += await file.publish()
      return { locations, bytes }
    },
    discard,
  }
}
