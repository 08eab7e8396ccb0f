import type { Day } from '../../calendar.ts'
import type { EmailCounts } from '../counts.ts'
import { createEmailCounter } from './counter.ts'
import type { Reject } from './reject.ts'
import { createLogScanner, type LogTotals } from './scanner.ts'

export interface ScannedLog {
  readonly totals: Readonly<LogTotals>
  readonly counts: EmailCounts
}

/**
 * Scans one day's log (grammar: scanner.ts). `takeRejects` gets what each chunk rejected, in file order, and is
 * waited for, so that a file of rejects stays in constant memory. Stops with the signal's reason.
 */
export async function scanLog(
  chunks: AsyncIterable<Uint8Array>,
  day: Day,
  takeRejects: (rejects: readonly Reject[]) => Promise<void>,
  signal?: AbortSignal,
): Promise<ScannedLog> {
  const counter = createEmailCounter()
  let rejects: Reject[] = []
  const scanner = createLogScanner(day, counter, (reject) => {
    rejects.push(reject)
  })
  const flush = async (): Promise<void> => {
    if (rejects.length === 0) return
    await takeRejects(rejects)
    rejects = []
  }
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    scanner.push(chunk)
    await flush()
  }
  const totals = scanner.end()
  await flush()
  return { totals, counts: counter.take() }
}
