import type { EmailCounts } from '../../../jobs/aggregate/counts.ts'
import { copyOf, createEmailTable, type EmailTable } from '../../../jobs/aggregate/log/email-table.ts'
import { createLogScanner } from '../../../jobs/aggregate/log/scanner.ts'
import type { LogTotals } from '../../../jobs/aggregate/log/totals.ts'
import { mergeCounts } from '../../../jobs/aggregate/merge-counts.ts'

export interface Scanned {
  readonly totals: LogTotals
  /** Emails as latin1 text, so that no byte is lost; in the scanner's order. */
  readonly counts: [email: string, ...counts: number[]][]
  readonly rejects: [line: number, reason: string, raw: string][]
}

/** One for all: what is handed over leaves it empty. */
const table = createEmailTable()

/** All that a table holds; it starts anew. */
export const takeAll = (from: EmailTable, rows = 65_536): EmailCounts =>
  mergeCounts(Array.from(from.batches(rows), copyOf))

/** Scans `chunks` as the log of 2024-09-10. */
export function scan(chunks: readonly Buffer[]): Scanned {
  const rejects: Scanned['rejects'] = []
  const scanner = createLogScanner('2024-09-10', table.taker('2024-09-10'), ({ line, reason, raw }) => {
    rejects.push([line, reason, raw.toString('latin1')])
  })
  for (const chunk of chunks) scanner.push(chunk)
  const totals = scanner.end()
  return { totals: { ...totals }, counts: listCounts(takeAll(table)), rejects }
}

export const listCounts = (counts: EmailCounts): Scanned['counts'] =>
  Array.from({ length: counts.rows }, (_, row) => [
    Buffer.from(counts.emails.subarray(counts.offsets[row], counts.offsets[row + 1])).toString('latin1'),
    counts.create[row]!,
    counts.read[row]!,
    counts.update[row]!,
    counts.delete[row]!,
  ])

/** `bytes` cut into pieces of `size`. */
export function pieces(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}
