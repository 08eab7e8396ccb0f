/**
 * Why a record is rejected. A record with several faults gets the first that applies, in this order; the first
 * four make it end at its first line feed (see record.ts), the others concern the whole record.
 */
export type RejectReason =
  | 'line too long'
  | 'unclosed quote'
  | 'text after a closing quote'
  | 'quote in an unquoted field'
  | 'NUL byte'
  | 'lone CR'
  | 'invalid UTF-8'
  | 'wrong field count'
  | 'empty email'
  | 'unknown action'
  | 'bad timestamp'

/** A record that is not a row. */
export interface Reject {
  /** The physical line (1-based, counted in line feeds) on which the record starts. */
  readonly line: number
  readonly reason: RejectReason
  /** The record's own bytes without the line end that closes it; the first `rawLimit` of them. */
  readonly raw: Buffer
}

/** Bytes of a rejected record that are kept (operations-spec §1.7). */
export const rawLimit = 65_536
