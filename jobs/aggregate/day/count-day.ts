import { join } from 'node:path'
import type { Day } from '../../calendar.ts'
import type { FileStat } from '../../storage/file-io.ts'
import { writeCountsFile } from '../counts-file.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import { writeBoth } from './day-files.ts'
import type { DayRead } from './read-day.ts'
import type { DayReader } from './reader.ts'

/** With fewer emails than this, a day's counts are read from Parquet as quickly as from a list. */
export const listEmails = 4096

export interface DayCounterSettings {
  readonly reader: DayReader
  readonly scratch: string
  /** Bytes of a day's counts in memory; above, they are written in parts. */
  readonly partBytes: number
  /** The same where no other day is read. */
  readonly alonePartBytes: number
  readonly onBytes: (count: number) => void
}

export type DayCounter = (day: Day, input: FileStat) => Promise<ReadCounts>

export interface ReadCounts {
  readonly read: DayRead
  readonly emails: number
  /** The counts as Parquet. */
  readonly parquet: LocalFile
  /** The same counts as a list, where there are many. */
  readonly list: LocalFile | undefined
}

/** Reads a day's log and makes its counts file. */
export function createDayCounter({
  reader,
  scratch,
  partBytes,
  alonePartBytes,
  onBytes,
}: DayCounterSettings): DayCounter {
  return async (day: Day, { location, size }: FileStat): Promise<ReadCounts> => {
    const read = await reader.read({ day, location, size, scratch, partBytes, alonePartBytes }, onBytes)
    const { counts, files } = read
    if (files !== undefined) return { read, emails: files.emails, parquet: files.parquet, list: files.list }
    if (counts === undefined) throw new TypeError(`${location} was read without counts`)
    if (counts.rows > listEmails) {
      const { parquet, list } = await writeBoth(scratch, day, [counts])
      return { read, emails: counts.rows, parquet, list }
    }
    const parquet = await writeCountsFile(join(scratch, `${day}.parquet`), [counts])
    return { read, emails: counts.rows, parquet, list: undefined }
  }
}
