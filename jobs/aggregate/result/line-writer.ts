import { createMergeKernel } from '../../kernel/merge-kernel.ts'
import type { EmailCounts } from '../counts.ts'
import { maxDigits, putField, putNumber } from './csv-field.ts'

/** Some rows of a batch as lines. */
export interface Lines {
  /** The writer's until its next call. */
  readonly bytes: Uint8Array
  /** The first row that is not among them. */
  readonly end: number
}

/** Rows and bytes of emails that are formatted at once; one email may be longer. */
const mostRows = 4096
const usualEmailBytes = 2 ** 17
/** Below, nothing lies in the memory of the kernel. */
const countsAt = 4096
const offsetsAt = countsAt + 32 * mostRows
const emailsAt = offsetsAt + 4 * (mostRows + 1) + 60
/** Behind emails and lines: what the kernel reads, or changes, beyond their end. */
const slack = 64
/** What a row takes at most beside its email. */
const rowBytes = 2 + 4 * (1 + maxDigits) + 1

const comma = 0x2c
const lineFeed = 0x0a

/**
 * Makes what formats rows of a result (design §3.4): in the kernel (assembly/merge/lines.ts), and here those that it leaves, whose
 * email is to be quoted or whose counts are large.
 */
export function createLineWriter(): (batch: EmailCounts, from: number) => Lines {
  const kernel = createMergeKernel(emailsAt)
  return (batch, from) => {
    const end = lastRow(batch, from)
    const rows = end - from
    const first = batch.offsets[from]!
    const emailBytes = batch.offsets[end]! - first
    const linesAt = emailsAt + emailBytes + slack
    kernel.ensure(linesAt + 2 * emailBytes + rowBytes * rows + slack)
    const bytes = kernel.bytes()
    const counts = new Float64Array(bytes.buffer, countsAt, 4 * rows)
    const { create, read, update, delete: deleted } = batch
    ;[create, read, update, deleted].forEach((column, index) => {
      counts.set(column.subarray(from, end), index * rows)
    })
    const offsets = new Uint32Array(bytes.buffer, offsetsAt, rows + 1)
    offsets.set(batch.offsets.subarray(from, end + 1))
    bytes.set(batch.emails.subarray(first, first + emailBytes), emailsAt)

    let at = linesAt
    // The offsets are the batch's: its first email here begins at `first`.
    for (let row = 0; row < rows; row++) {
      row = kernel.lines(row, rows, emailsAt - first, offsetsAt, countsAt, at)
      at = kernel.linesEnd() >>> 0
      if (row === rows) break
      at = putField(bytes, at, batch.emails, batch.offsets[from + row]!, batch.offsets[from + row + 1]!)
      for (let column = row; column < 4 * rows; column += rows) {
        bytes[at] = comma
        at = putNumber(bytes, at + 1, counts[column]!)
      }
      bytes[at++] = lineFeed
    }
    return { bytes: bytes.subarray(linesAt, at), end }
  }
}

/** The end of the rows from `from` on that are formatted at once; at least one. */
function lastRow({ rows, offsets }: EmailCounts, from: number): number {
  const most = offsets[from]! + usualEmailBytes
  let end = Math.min(rows, from + mostRows)
  while (end > from + 1 && offsets[end]! > most) end = from + ((end - from) >> 1)
  return end
}
