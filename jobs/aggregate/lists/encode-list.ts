import { createMergeKernel } from '../../kernel/merge-kernel.ts'
import type { EmailCounts } from '../counts.ts'

/** Below, nothing lies in the memory of the kernel. */
const firstPlace = 4096
/** What an email's record takes beside the email, at most; behind the last one 15 bytes change, too. */
const recordBytes = 36
const slack = 64

/**
 * Makes what writes counts as a list (assembly/merge/record.ts): its rows one behind the other, in their order. The bytes are
 * the caller's until its next call.
 */
export function createListEncoder(): (counts: EmailCounts) => Uint8Array {
  const kernel = createMergeKernel(firstPlace)
  return ({ rows, emails, offsets, create, read, update, delete: deleted }) => {
    const emailBytes = offsets[rows]!
    const countsAt = firstPlace
    const offsetsAt = countsAt + 32 * rows
    const emailsAt = offsetsAt + 4 * (rows + 1)
    const target = emailsAt + emailBytes + slack
    kernel.ensure(target + emailBytes + recordBytes * rows + slack)
    const bytes = kernel.bytes()
    const columns = new Float64Array(bytes.buffer, countsAt, 4 * rows)
    ;[create, read, update, deleted].forEach((column, i) => {
      columns.set(column.subarray(0, rows), i * rows)
    })
    kernel.words().set(offsets.subarray(0, rows + 1), offsetsAt / 4)
    bytes.set(emails.subarray(0, emailBytes), emailsAt)
    const end = kernel.encode(rows, emailsAt, offsetsAt, countsAt, target) >>> 0
    return bytes.subarray(target, end)
  }
}
