import { listed, usageError, type JobError } from '../errors.ts'
import { Fault, Faults, flagText } from '../postgres/faults.ts'
import type { TableKey } from './table-key.ts'

/** Where something stands in the file, from 1. */
export interface At {
  readonly line: number
  readonly column: number
}

/** Something wrong in the file. */
export interface FileFault {
  readonly at: At
  /** Keys from the top, `tables.shop.orders.lookback`; empty: the file as a whole. */
  readonly field: string
  readonly message: string
  readonly fix: string
}

/** A fault and whom it concerns; neither group nor table: all. */
export interface PlacedFault extends FileFault {
  readonly group?: string
  readonly key?: TableKey
}

/** Takes a fault; reading goes on, so that all are found at once. */
export type Report = (fault: FileFault) => void

/**
 * All faults of a file as one error (exit 2): each with line, column, field and fix, 20 at most. `faults` holds at least one.
 */
export function fileError(file: string, faults: readonly FileFault[]): JobError {
  const sorted = faults.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
  const [first] = sorted
  if (first === undefined) throw new TypeError('no faults')
  const place = ({ at, field }: FileFault): string =>
    [`${file}:${at.line}:${at.column}`, field].filter(Boolean).join(' ')
  const field = `${file}:${first.at.line}`
  if (sorted.length === 1) return usageError(`${place(first)}: ${first.message}`, { field, fix: first.fix })
  const all = sorted.map((fault) => `${place(fault)}: ${fault.message} (${fault.fix})`)
  return usageError(listed(all, '; '), { field, fix: `mend ${file}, ${sorted.length} faults` })
}

/** What is wrong with a value, and what to do, of an error that its own check throws. */
export function partsOf(error: JobError): { readonly message: string; readonly fix: string } {
  const flags = error instanceof Fault ? error.flags.map(flagText) : []
  const fix = error instanceof Faults ? undefined : error.fix
  return { message: error.message, fix: fix ?? flags[0] ?? 'correct it' }
}
