import type { ColumnType } from '../iceberg/schema/types.ts'
import type { FlatField } from '../lake/read-rows.ts'
import { combined, noRows, type Fingerprint } from '../provenance/fingerprint.ts'
import { sameFingerprint } from '../provenance/fingerprint-text.ts'
import { compareIntervals, printInterval, type Interval } from '../provenance/interval.ts'
import { emptied } from '../provenance/known-rows.ts'
import type { VerifiedInterval } from '../summary.ts'
import type { TableRows } from '../provenance/table-rows.ts'
import { allExpected, expectationOf, expectationOfAll, type Expectation } from './expectation.ts'
import { differencesText, verifiedColumns } from './columns/differences.ts'
import { bothStatistics, noStatistics, type ColumnStatistics } from './columns/statistics.ts'
import type { FileFault, LakeRows, Unit } from './lake-rows.ts'
import type { SourceRows } from './source-rows.ts'

/** What is known of a table's rows, to be judged. */
export interface Findings {
  readonly known: TableRows
  /** Whether rows are asked for. */
  readonly within: (interval: Interval) => boolean
  /** The lists of columns that the lake's rows were hashed by; none where they were only counted. */
  readonly lists: readonly (readonly number[])[]
  /** The columns of the first list. */
  readonly fields: readonly FlatField[]
  readonly lake: LakeRows
  /** Undefined: the source was not read. Its columns are the first of the lists. */
  readonly source: Pick<SourceRows, 'units' | 'types'> | undefined
}

/** Rows that are compared together: of the lake, of the source. */
interface Group {
  readonly expectation: Expectation
  readonly lake: Unit[]
  readonly source: Unit[]
  readonly faults: Pick<FileFault, 'kind' | 'message'>[]
}

/** The outcome of each interval (lake-spec §2.2), in order. */
export function judge(findings: Findings): VerifiedInterval[] {
  const { known, within, lists, lake, source } = findings
  const groups = new Map<string, Group>()
  const groupOf = (expectation: Expectation): Group => {
    const { key } = expectation
    const group = groups.get(key) ?? { expectation, lake: [], source: [], faults: [] }
    groups.set(key, group)
    return group
  }
  // Rows that were only counted, in files that do not tell of which days they are.
  const isCountedWhole = lists.length === 0 && lake.units.has('all') && within({ kind: 'all' })
  const whole = isCountedWhole ? expectationOfAll(known) : undefined
  const at = (unit: Interval): Group => groupOf(whole ?? narrowed(expectationOf(known, unit), unit, within))
  for (const expectation of allExpected(known))
    if (within(expectation.interval)) groupOf(whole ?? expectation)
  for (const unit of lake.units.values()) if (within(unit.interval)) at(unit.interval).lake.push(unit)
  for (const unit of source?.units.values() ?? [])
    if (within(unit.interval)) at(unit.interval).source.push(unit)
  const units = [...lake.units.values(), ...(source?.units.values() ?? [])].map(({ interval }) => interval)
  // What others have deleted has left no row that would tell of it.
  for (const interval of emptied(known, units)) if (within(interval)) at(interval)
  for (const { unit, kind, message } of lake.faults)
    if (unit === 'table') groupOf(ofTable(groups)).faults.push({ kind, message })
    else if (unit !== undefined && within(unit)) at(unit).faults.push({ kind, message })
  if (groups.size === 0 && lake.faults.some(({ unit }) => unit === undefined)) at({ kind: 'all' })
  for (const { unit, kind, message } of lake.faults)
    if (unit === undefined) for (const group of groups.values()) group.faults.push({ kind, message })
  return [...groups.values()]
    .sort((a, b) => compareIntervals(a.expectation.interval, b.expectation.interval))
    .map((group) => verdict(group, findings))
}

/** Where the table has all rows as one, that has its own faults, too. */
function ofTable(groups: ReadonlyMap<string, Group>): Expectation {
  const whole = [...groups.values()].find(({ expectation }) => expectation.interval.kind === 'all')
  return (
    whole?.expectation ?? {
      interval: { kind: 'all' },
      key: 'all',
      written: { kind: 'unknown', reason: 'these are no rows' },
    }
  )
}

/** Of a month of which only some days are asked for, the fingerprint says nothing. */
function narrowed(
  expectation: Expectation,
  unit: Interval,
  within: (interval: Interval) => boolean,
): Expectation {
  if (within(expectation.interval)) return expectation
  const reason = `its fingerprint is that of ${printInterval(expectation.interval)}, of which a part is asked for`
  return { interval: unit, key: printInterval(unit), written: { kind: 'unknown', reason } }
}

function verdict(group: Group, { lists, fields, source }: Findings): VerifiedInterval {
  const { expectation, lake, faults } = group
  const { interval, written } = expectation
  const rows = lake.reduce((sum, unit) => sum + unit.rows, 0)
  const sourceRows = group.source.reduce((sum, unit) => sum + unit.rows, 0)
  const told = {
    interval: printInterval(interval),
    rows,
    ...(written.kind === 'known' && { writtenRows: written.fingerprint.rows }),
    ...(source !== undefined && { sourceRows }),
    ...columnsOf(group, lists, fields, source?.types),
  }
  // Of no rows at all each column differs in everything.
  const isEmpty = rows === 0 || (source !== undefined && sourceRows === 0)
  const differences = isEmpty ? '' : differencesText(told.columns ?? [])
  const named = differences === '' ? '' : ` (${differences})`
  const [fault] = [...faults].sort((a, b) => (a.kind < b.kind ? -1 : 1))
  if (fault !== undefined) return { ...told, result: fault.kind, reason: fault.message }
  const isWritten = written.kind === 'known' && sameAsWritten(lake, rows, written, lists)
  const isSource =
    source !== undefined && sameFingerprint(sumOf(lake, 0, lists), sumOf(group.source, 0, lists.slice(0, 1)))
  if (isWritten && (source === undefined || isSource)) return { ...told, result: 'match' }
  if (isWritten)
    return {
      ...told,
      result: 'changed',
      reason: `${written.isReadOtherwise ? otherwise : 'the source has changed since'}${named}`,
    }
  if (isSource) return { ...told, result: 'match' }
  if (written.kind === 'unknown')
    return {
      ...told,
      result: 'unverified',
      reason: rows === 0 && written.isLost !== true ? notInLake : `${written.reason}${named}`,
    }
  const other = source === undefined ? '' : ', nor what the source has'
  return { ...told, result: 'mismatch', reason: `these are not the rows that were written${other}${named}` }
}

const notInLake = 'the lake has none of its rows, and nothing tells that it was exported'

const otherwise =
  'it was exported in another way (where, cast …) than the newest export, by which the source is read'

function columnsOf(
  { expectation: { written }, lake, source }: Group,
  lists: readonly (readonly number[])[],
  fields: readonly FlatField[],
  sourceTypes: readonly ColumnType[] | undefined,
): Pick<VerifiedInterval, 'columns'> {
  const [list] = lists
  if (list === undefined || lake.length + source.length === 0) return {}
  const sum = (units: readonly Unit[], types: readonly ColumnType[]): ColumnStatistics[] =>
    types.map((type, at) =>
      units.reduce((both, unit) => bothStatistics(type, both, unit.columns[at]!), noStatistics(type)),
    )
  const isSame = written.kind === 'known' && written.columns.join() === list.join()
  return {
    columns: verifiedColumns({
      fields,
      lake: sum(
        lake,
        fields.map(({ type }) => type),
      ),
      writtenNulls: isSame ? written.fingerprint.nulls : undefined,
      source: sourceTypes && { types: sourceTypes, columns: sum(source, sourceTypes) },
    }),
  }
}

function sameAsWritten(
  lake: readonly Unit[],
  rows: number,
  { fingerprint, columns }: Extract<Expectation['written'], { kind: 'known' }>,
  lists: readonly (readonly number[])[],
): boolean {
  if (lists.length === 0) return rows === fingerprint.rows
  const list = lists.findIndex((one) => one.join() === columns.join())
  return sameFingerprint(sumOf(lake, list, lists), fingerprint)
}

const sumOf = (units: readonly Unit[], list: number, lists: readonly (readonly number[])[]): Fingerprint =>
  units.reduce((sum, { fingerprints }) => combined(sum, fingerprints[list]!), noRows(lists[list]!.length))
