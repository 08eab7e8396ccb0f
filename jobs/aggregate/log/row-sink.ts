/**
 * Gets each accepted row in turn: the email in `emails` from `start` to `end` (exclusive), the action's number (fields.ts),
 * and the timestamp's 19 bytes in `log` from `stamp` on. The bytes are the scanner's, and change after the call.
 */
export type RowSink = (
  emails: Buffer,
  start: number,
  end: number,
  action: number,
  log: Buffer,
  stamp: number,
) => void
