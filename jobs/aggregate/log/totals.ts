/** What a file's rows come to: whoever else counts them must come to the same. */
export interface RowTotals {
  rows: number
  /** Rows by action, in the order of fields.ts. */
  readonly events: [create: number, read: number, update: number, remove: number]
  /** Bytes of the rows' emails, without quotes. */
  emailBytes: number
}

/** What a file held: rows + rejects + blankLines + headerLines = its records. */
export interface LogTotals extends RowTotals {
  /** Of the whole log, decompressed. */
  bytes: number
  /** Of the rejected records, line ends included. */
  rejectedBytes: number
  rejects: number
  blankLines: number
  headerLines: 0 | 1
  /** Of the rows, those dated another day than the file's. */
  otherDayRows: number
}

export const noTotals = (): LogTotals => ({
  rows: 0,
  events: [0, 0, 0, 0],
  emailBytes: 0,
  bytes: 0,
  rejectedBytes: 0,
  rejects: 0,
  blankLines: 0,
  headerLines: 0,
  otherDayRows: 0,
})

/** Adds what other rows come to. */
export function addTotals(sums: RowTotals, { rows, events, emailBytes }: Readonly<RowTotals>): void {
  sums.rows += rows
  events.forEach((count, action) => (sums.events[action]! += count))
  sums.emailBytes += emailBytes
}

/** Adds what another part of the log held. */
export function addLogTotals(sums: LogTotals, part: Readonly<LogTotals>): void {
  addTotals(sums, part)
  sums.bytes += part.bytes
  sums.rejectedBytes += part.rejectedBytes
  sums.rejects += part.rejects
  sums.blankLines += part.blankLines
  sums.headerLines ||= part.headerLines
  sums.otherDayRows += part.otherDayRows
}

export const rowTotalsOf = ({ rows, events, emailBytes }: Readonly<RowTotals>): RowTotals => ({
  rows,
  events,
  emailBytes,
})

/** Whether a log is probably none: rejects and no row, or more than half of its bytes rejected (aggregate-spec §4.2). */
export const isMostlyRejected = ({
  rows,
  rejects,
  bytes,
  rejectedBytes,
}: Readonly<Pick<LogTotals, 'rows' | 'rejects' | 'bytes' | 'rejectedBytes'>>): boolean =>
  (rejects > 0 && rows === 0) || 2 * rejectedBytes > bytes
