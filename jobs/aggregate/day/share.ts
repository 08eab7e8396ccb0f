import { join } from 'node:path'
import type { Day } from '../../calendar.ts'
import { groupRows } from '../counts-file.ts'
import type { EmailCounts } from '../counts.ts'
import { writeList } from '../lists/write-list.ts'
import { copyOf, createEmailTable, type EmailTable } from '../log/email-table.ts'
import { mergeCounts } from '../merge-counts.ts'
import { scanBlock, type ScannedBlock } from './scan-block.ts'

/** What a thread counts of a day that another one reads. */
export interface Share {
  scan(block: Uint8Array): ScannedBlock
  /** Hands its counts over; it is done. */
  finish(): ShareCounts
}

/** Both together are a share's counts. */
export interface ShareCounts {
  /** Local lists. */
  readonly parts: readonly string[]
  /** Few, where there is no list. */
  readonly counts: EmailCounts | undefined
}

export interface ShareRequest {
  readonly day: Day
  /** A local folder of this run alone. */
  readonly scratch: string
  /** Of its lists, in that folder. */
  readonly name: string
  /** Bytes of counts above which they are written as a list. */
  readonly partBytes: number
}

/** Up to so many emails a day's counts are handed over in memory: a window of them is merged there, too. */
export const emailsInMemory = 65_536

/** Tables of this thread that are not in use. */
const idle: EmailTable[] = []

/** One that a failure leaves with counts in it is not to be given back. */
export const takeTable = (): EmailTable => idle.pop() ?? createEmailTable()
export const giveBack = (table: EmailTable): void => {
  idle.push(table)
}

/** Whether the counts so far are to be written before more are added. */
export const isBeyond = (table: EmailTable, partBytes: number): boolean =>
  table.isFull() || table.heldBytes() > partBytes

/** The counts of a table that has few; it starts anew. */
export const takeFew = (table: EmailTable): EmailCounts =>
  mergeCounts(Array.from(table.batches(emailsInMemory), copyOf))

export function createShare({ day, scratch, name, partBytes }: ShareRequest): Share {
  const table = takeTable()
  const parts: string[] = []
  const addPart = (): void => {
    const path = join(scratch, `${name}-${parts.length}.list`)
    writeList(path, table.batches(groupRows))
    parts.push(path)
  }
  const makeRoom = (): void => {
    if (isBeyond(table, partBytes)) addPart()
  }
  return {
    scan: (block) => scanBlock(block, { day, table, isLast: false, makeRoom }),
    finish() {
      const isFew = parts.length === 0 && table.emails() <= emailsInMemory
      if (!isFew) addPart()
      const counts = isFew ? takeFew(table) : undefined
      giveBack(table)
      return { parts, counts }
    },
  }
}
