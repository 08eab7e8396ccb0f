import type { Day } from '../../calendar.ts'
import type { EmailTable } from '../log/email-table.ts'
import type { Reject } from '../log/reject.ts'
import { addLogTotals, noTotals, type LogTotals } from '../log/totals.ts'
import { scanBlock, type ScannedBlock } from './scan-block.ts'
import type { ShareCounts } from './share.ts'

/** Another thread that scans blocks of the day that this one reads. */
export interface Helper {
  /** Scans a block in shared memory, which is not to be changed until `scanned` is called. */
  scan(block: Uint8Array, scanned: (block: ScannedBlock) => void): void
  /** Blocks that it has not answered. */
  waiting(): number
  /** Its counts, once it has answered. Rejects with what went wrong in it at any time. */
  finish(): Promise<ShareCounts>
}

export interface TogetherSettings {
  readonly day: Day
  /** What this thread counts. */
  readonly table: EmailTable
  readonly makeRoom: () => void
  /** Another helper, where there is one. */
  readonly claim: () => Helper | undefined
  /** Told in the order of the file, with the line in the file. */
  readonly onReject: (reject: Reject) => void
  /** Line feeds before the first byte that is pushed, which begins a record. */
  readonly linesBefore: number
  /** Default: twice the longest record. */
  readonly blockBytes?: number
}

/** Scans the rest of a log in blocks, in this thread and in others. */
export interface Together {
  push(chunk: Uint8Array): void
  /**
   * The log has ended: what all threads found since the first push. `handOver` is called when this thread is through and the
   * others hand their counts over. Undefined where the log cannot be scanned so: a quoted field, or a line longer than a
   * block, lies across the end of a block.
   */
  end(
    handOver: () => void,
  ): Promise<{ readonly totals: LogTotals; readonly shares: readonly ShareCounts[] } | undefined>
}

const defaultBlockBytes = 2 * 2 ** 20
/** Of a helper: one that it scans and one that it finds then. */
const mostWaiting = 2
const lineFeed = 0x0a

export function scanTogether(settings: TogetherSettings): Together {
  const { day, table, makeRoom, claim, onReject, blockBytes = defaultBlockBytes } = settings
  const newBlock = (): Buffer => Buffer.from(new SharedArrayBuffer(blockBytes))
  const helpers: Helper[] = []
  const free: Buffer[] = []
  const totals = noTotals()
  /** Blocks that are scanned, while one before them is not. */
  const ahead = new Map<number, ScannedBlock>()
  let lines = settings.linesBefore
  let handed = 0
  let settled = 0
  let isBroken = false
  let block = newBlock()
  let filled = 0

  /** In the order of the file: a block is right if all before it are whole. */
  const settle = (number: number, scanned: ScannedBlock): void => {
    ahead.set(number, scanned)
    for (let next = ahead.get(settled); next !== undefined && !isBroken; next = ahead.get(settled)) {
      ahead.delete(settled++)
      addLogTotals(totals, next.totals)
      for (const reject of next.rejects) onReject({ ...reject, line: lines + reject.line })
      lines += next.lines
      isBroken = !next.isWhole
    }
  }
  const freeHelper = (): Helper | undefined => {
    const known = helpers.find((helper) => helper.waiting() < mostWaiting)
    if (known !== undefined) return known
    const claimed = claim()
    if (claimed !== undefined) helpers.push(claimed)
    return claimed
  }
  const hand = (memory: Buffer, length: number): void => {
    const number = handed++
    const bytes = memory.subarray(0, length)
    const helper = freeHelper()
    if (helper === undefined) {
      settle(number, scanBlock(bytes, { day, table, isLast: false, makeRoom }))
      free.push(memory)
      return
    }
    helper.scan(bytes, (scanned) => {
      free.push(memory)
      settle(number, scanned)
    })
  }

  return {
    push(chunk) {
      for (let from = 0; from < chunk.length && !isBroken;) {
        const count = Math.min(chunk.length - from, blockBytes - filled)
        block.set(chunk.subarray(from, from + count), filled)
        filled += count
        from += count
        if (filled < blockBytes) continue
        const end = block.lastIndexOf(lineFeed) + 1
        isBroken ||= end === 0
        const next = free.pop() ?? newBlock()
        next.set(block.subarray(end))
        if (end > 0) hand(block, end)
        block = next
        filled -= end
      }
    },
    async end(handOver) {
      const finishing = Promise.all(helpers.map((helper) => helper.finish()))
      // Until it is waited for, its failure is not an unhandled one.
      finishing.catch(() => undefined)
      const last = handed++
      settle(last, scanBlock(block.subarray(0, filled), { day, table, isLast: true, makeRoom }))
      handOver()
      const shares = await finishing
      return isBroken ? undefined : { totals, shares }
    },
  }
}
