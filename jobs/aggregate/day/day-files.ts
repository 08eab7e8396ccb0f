import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Day } from '../../calendar.ts'
import { groupRows, writeCountsFile } from '../counts-file.ts'
import { totalsOf, type EmailCounts } from '../counts.ts'
import { mergeLists, mostLists } from '../lists/merge-lists.ts'
import { writeList, writingList } from '../lists/write-list.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import { addTotals, type RowTotals } from '../log/totals.ts'

/** Local files with the counts of a day, twice: as Parquet, for every engine, and as a list, for what merges them here. */
export interface DayFiles {
  readonly parquet: LocalFile
  readonly list: LocalFile
  readonly emails: number
  /** What the files' counts come to. */
  readonly totals: RowTotals
}

export interface DayFilesWriter {
  /** Writes counts that are more than memory may hold as a list. */
  addPart(batches: Iterable<EmailCounts>): void
  /** Lists of other threads, which are the day's parts, too. */
  takeParts(lists: readonly string[]): void
  hasParts(): boolean
  /** Merges the parts, and these last counts, into the day's files. */
  write(batches: Iterable<EmailCounts>): Promise<DayFiles>
}

/** Writes the files of a day into the folder `scratch`, which belongs to this run alone. */
export function createDayFiles(scratch: string, day: Day): DayFilesWriter {
  const parts: string[] = []
  let names = 0

  const addPart = (batches: Iterable<EmailCounts>): void => {
    const path = join(scratch, `${day}.part-${names++}.list`)
    writeList(path, batches)
    parts.push(path)
  }
  /** As many parts as may be open at once become one. */
  const mergeParts = async (): Promise<void> => {
    const merged = parts.splice(0, mostLists)
    addPart(mergeLists(merged, groupRows))
    await Promise.all(merged.map((part) => rm(part)))
  }

  return {
    addPart,
    takeParts(lists) {
      parts.push(...lists)
    },
    hasParts: () => parts.length > 0,
    async write(batches) {
      if (parts.length > 0) addPart(batches)
      while (parts.length > mostLists) await mergeParts()
      const totals: RowTotals = { rows: 0, events: [0, 0, 0, 0], emailBytes: 0 }
      let emails = 0
      const summed = function* (): Generator<EmailCounts, void, undefined> {
        for (const batch of parts.length > 0 ? mergeLists(parts, groupRows) : batches) {
          addTotals(totals, totalsOf(batch))
          emails += batch.rows
          yield batch
        }
      }
      const { parquet, list } = await writeBoth(scratch, day, summed())
      await Promise.all(parts.map((part) => rm(part)))
      return { parquet, list, emails, totals }
    },
  }
}

/** Writes the day's counts as Parquet and as a list. */
export async function writeBoth(
  scratch: string,
  day: Day,
  batches: Iterable<EmailCounts>,
): Promise<Pick<DayFiles, 'parquet' | 'list'>> {
  let list: LocalFile | undefined
  const both = function* (): Generator<EmailCounts, void, undefined> {
    list = yield* writingList(join(scratch, `${day}.list`), batches)
  }
  const parquet = await writeCountsFile(join(scratch, `${day}.parquet`), both())
  if (list === undefined) throw new TypeError(`the list of ${day} was not written to its end`)
  return { parquet, list }
}
