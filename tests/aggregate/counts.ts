import type { EmailCounts } from '../../jobs/aggregate/counts.ts'

/** Counts by column of rows `[email, create, read, update, delete]`, in the order given. */
export function countsOf(rows: readonly (readonly [string, number, number, number, number])[]): EmailCounts {
  const emails = rows.map(([email]) => Buffer.from(email))
  const offsets = new Uint32Array(rows.length + 1)
  emails.forEach((email, row) => {
    offsets[row + 1] = offsets[row]! + email.length
  })
  const column = (index: 1 | 2 | 3 | 4): Float64Array => Float64Array.from(rows, (row) => row[index])
  return {
    rows: rows.length,
    emails: Buffer.concat(emails),
    offsets,
    create: column(1),
    read: column(2),
    update: column(3),
    delete: column(4),
  }
}
