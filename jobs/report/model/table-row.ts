import type { Day } from '../../calendar.ts'
import type { LakeTable, UnreadTable } from '../gather/tables.ts'
import type { ReportTable } from '../schema.ts'
import { tableDays } from './days.ts'

const weekMs = 7 * 86_400_000
const dayMs = 86_400_000

/** The runs whose rows the last one's are held against. */
const runsCompared = 14

export const isUnread = (table: LakeTable | UnreadTable): table is UnreadTable => 'error' in table

/** A row of the page. Pure. */
export function tableRow(table: LakeTable | UnreadTable, last: Day): ReportTable {
  if (isUnread(table)) return { name: table.name, kind: 'days', state: 'unread', days: [] }
  const { name, looked, freshness, events } = table
  const days = tableDays(table, last)
  const { isByDay, to, exportedMs, isLate } = freshness
  const newest = events.filter(({ kind }) => kind !== 'verified').at(-1)
  const check = events.filter(({ kind }) => kind === 'verified').at(-1)
  const isFailed =
    newest?.kind === 'failed' ||
    (check !== undefined && (check.wrong.length > 0 || check.error !== undefined))
  const rows = events.filter(({ kind }) => kind === 'exported').flatMap((event) => event.rows ?? [])
  const proof = events
    .filter(({ kind, wrong, error }) => kind === 'verified' && wrong.length === 0 && error === undefined)
    .at(-1)
  const median = medianOf(rows.slice(-runsCompared))
  const growth = bytesPerWeek(table)
  return {
    name,
    kind: isByDay ? 'days' : 'whole',
    state: table.wrong !== undefined ? 'wrong' : isFailed ? 'failed' : isLate ? 'late' : 'fresh',
    ...(to !== undefined && { freshTo: to > last ? last : to }),
    ...(exportedMs !== undefined && { exportedAt: new Date(exportedMs).toISOString() }),
    ...(proof !== undefined && { verifiedAt: new Date(proof.ms).toISOString() }),
    ...(rows.length > 0 && { lastRows: rows.at(-1)! }),
    ...(median !== undefined && { medianRows: median }),
    rows: looked.rows,
    bytes: looked.bytes,
    ...(growth !== undefined && { bytesPerWeek: growth }),
    days,
  }
}

/** The lower one of two in the middle. */
export function medianOf(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]
}

/**
 * How much the live files grow in a week, by the newest snapshot that is a week older than the last one, or the oldest that is
 * kept and at least a day older.
 */
function bytesPerWeek({ table: { metadata } }: LakeTable): number | undefined {
  const sized = metadata.snapshots
    .flatMap((one) => {
      const text = one.summary['total-files-size'] ?? ''
      return /^\d{1,15}$/.test(text) ? [{ ms: one['timestamp-ms'], bytes: Number(text) }] : []
    })
    .sort((a, b) => a.ms - b.ms)
  const last = sized.at(-1)
  if (last === undefined) return undefined
  const from = sized.filter(({ ms }) => ms <= last.ms - weekMs).at(-1) ?? sized[0]!
  const span = last.ms - from.ms
  return span < dayMs ? undefined : Math.round(((last.bytes - from.bytes) * weekMs) / span)
}

const order = ['wrong', 'failed', 'unread', 'late', 'fresh'] as const

/** Worst first, then by name. */
export const worstFirst = (tables: readonly ReportTable[]): ReportTable[] =>
  [...tables].sort(
    (a, b) =>
      order.indexOf(a.state) - order.indexOf(b.state) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  )
