import { addDays, dayOf, daysBetween, firstDay, msPerDay, rangesOf, type Day } from '../calendar.ts'
import { dataError } from '../errors.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { branchSnapshot, mainBranch, snapshotById, type Snapshot } from '../iceberg/metadata/metadata.ts'
import { planRead } from '../lake/read-plan.ts'
import { extentOfUnit, intersection, isNothing, type Extent } from '../provenance/extent.ts'
import { otherRead, type OtherRead } from '../provenance/provenance.ts'
import { currentRows } from '../provenance/table-rows.ts'
import { unitOfPartition } from '../provenance/unit-of-file.ts'
import { writeAgain } from '../provenance/source.ts'
import type { Summary, TableSummary } from '../summary.ts'

/** How fresh a table is. */
export interface Freshness {
  /** Whether days are told apart; else it is exported as a whole. */
  readonly isByDay: boolean
  /** Of a table that is exported by day: the newest day that is there or was found to have no rows. */
  readonly to: Day | undefined
  /** The first day that is known of such a table. */
  readonly first: Day | undefined
  /** Days from the first one on that are neither, though they ended longer ago than is allowed. */
  readonly missing: readonly Day[]
  /** When its last export committed, or had nothing to; milliseconds since 1970. Undefined: never. */
  readonly exportedMs: number | undefined
  readonly isLate: boolean
  /** The table that it is exported from, as far as that is known. */
  readonly source: string | undefined
}

/**
 * Judges a table by the age that is allowed. One that is exported by day is late where a day that ended that long ago is in no
 * file, no fingerprint and no run that found it unchanged; one that is exported as a whole where its last export, also one that
 * found nothing to commit, is older. `runs`: what exports have left, of which those count that committed nothing: the others are in
 * the table's history, as long as they are in the table.
 */
export async function freshnessOf(
  table: Table,
  runs: readonly Summary[],
  ageMs: number,
  nowMs: number,
): Promise<Freshness> {
  const { metadata, io, identifier } = table
  const name = tableText(identifier)
  const main = branchSnapshot(metadata, mainBranch)
  const exports = [...ancestors(table, main)].filter(({ summary }) => summary['operation'] !== 'replace')
  const reads = exports.flatMap(({ summary }) => otherRead(summary) ?? [])
  // Rows that another program or the maintenance deleted are no export.
  const last = exports.find(({ summary }) => otherRead(summary) !== undefined) ?? exports[0]
  const idle = runs.flatMap(({ startedAt, from, to, tables = [] }) =>
    tables
      .filter((one) => one.table === name && isIdle(one))
      .map(({ mode }) => ({ ms: Date.parse(startedAt), days: mode === 'day' ? { from, to } : undefined })),
  )
  const times = [...(last === undefined ? [] : [last['timestamp-ms']]), ...idle.map(({ ms }) => ms)]
  const exportedMs = times.length === 0 ? undefined : Math.max(...times)

  const known = await currentRows(table)
  const source = (reads[0] ?? known.newest)?.source.table
  const isByDay = known.day !== undefined && reads[0]?.replaced !== 'full'
  if (!isByDay)
    return {
      isByDay,
      to: undefined,
      first: undefined,
      missing: [],
      exportedMs,
      source,
      isLate: exportedMs === undefined || nowMs - exportedMs > ageMs,
    }

  const { files } = await planRead({ name, metadata, io }, { tolerant: true })
  const units = files.flatMap(({ file }) => unitOfPartition(metadata, file, known.day) ?? [])
  const days = new Set(units.flatMap((unit) => (unit.kind === 'day' ? [unit.day] : [])))
  const covered: Extent[] = [
    ...known.parts.map(({ extent }) => extent).filter(({ days: [range] }) => range?.from !== firstDay),
    ...reads.map(extentRead),
    ...idle.flatMap(({ days: range }) =>
      range?.from === undefined || range.to === undefined
        ? []
        : [{ days: [{ from: range.from, to: range.to }], nulls: false }],
    ),
  ]
  // Its end, 00:00 UTC of the next day, is that long ago.
  const due = dayOf(new Date(nowMs - ageMs - msPerDay))
  const isThere = (day: Day): boolean =>
    days.has(day) ||
    covered.some((extent) => !isNothing(intersection(extent, extentOfUnit({ kind: 'day', day }))))
  const first = [...days, ...covered.flatMap(({ days: [range] }) => range?.from ?? [])]
    .filter((day) => day !== firstDay)
    .sort()[0]
  const missing = first === undefined ? [] : daysBetween(first, due).filter((day) => !isThere(day))
  const to =
    first === undefined
      ? undefined
      : daysBetween(first, dayOf(new Date(nowMs)))
          .filter(isThere)
          .at(-1)
  const isLate = first === undefined || missing.length > 0
  return { isByDay, to, first, missing, exportedMs, source, isLate }
}

/** An export of the Iceberg table, as it names its metadata, that committed nothing. */
const isIdle = ({ status, snapshotId, metadataLocation }: TableSummary): boolean =>
  ['ok', 'unchanged'].includes(status) && snapshotId === undefined && metadataLocation !== undefined

/** The days that a read replaced; of one of everything those that were over then. */
const extentRead = ({ replaced, sourceTime }: OtherRead): Extent => ({
  days: replaced === 'full' ? [{ from: firstDay, to: addDays(sourceTime.slice(0, 10), -1) }] : replaced,
  nulls: false,
})

function* ancestors({ metadata }: Table, newest: Snapshot | undefined): Iterable<Snapshot> {
  for (let one = newest; one !== undefined; one = snapshotById(metadata, one['parent-snapshot-id'])) yield one
}

const hoursMs = 3_600_000

/** One line for people. Errors: `JobError` data for a table that is late, with its days and the command that brings them. */
export function freshnessText(
  { identifier }: Pick<Table, 'identifier'>,
  { to, missing, exportedMs, source, isLate }: Freshness,
  nowMs: number,
): string {
  const table = tableText(identifier)
  const last =
    exportedMs === undefined
      ? 'never exported'
      : `last export ${((nowMs - exportedMs) / hoursMs).toFixed(1)} h ago`
  const fresh = to === undefined ? last : `fresh to ${to}, ${last}`
  if (!isLate) return fresh
  const ranges = rangesOf(missing)
  const text = ranges.map((range) => (range.from === range.to ? range.from : `${range.from} to ${range.to}`))
  const exporting = source === undefined ? 'lakejobs export' : writeAgain(table, source)
  const [range] = ranges
  throw dataError(
    `${table} is not fresh: ${missing.length === 0 ? fresh : `${missing.length === 1 ? 'a day is' : `${missing.length} days are`} missing: ${text.slice(0, mostRanges).join(', ')}${text.length > mostRanges ? ' …' : ''}; ${fresh}`}`,
    {
      field: table,
      fix: `look why its last export failed, then run ${exporting}${range === undefined ? '' : ` --from ${range.from} --to ${ranges.at(-1)!.to}`}`,
    },
  )
}

const mostRanges = 5
