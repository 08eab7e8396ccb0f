import { rangesOf } from '../../calendar.ts'
import { isIn, rowsOf, type SourceRead } from '../../provenance/provenance.ts'
import type { TableSummary } from '../../summary.ts'
import type { ExportOptions } from '../options.ts'
import type { Scope } from '../target/scope.ts'
import type { SinkOutcome } from './sink.ts'

/**
 * A table's part of the run's summary; `rows` are those of the days that were to be replaced in any format. It is
 * `superseded` where a later read is in every place, `unchanged` where the rows that were read are; where they are in one of
 * several, that format is named.
 * `warnings`: those that concern every format. `changed`: values that `--lossy-cast` changed, by column.
 */
export function summarise(
  table: string,
  { scope: { mode }, onlyChanged }: ExportOptions,
  { days }: Scope,
  read: SourceRead,
  outcomes: readonly SinkOutcome[],
  changed: Readonly<Record<string, number>>,
  warnings: readonly string[],
): TableSummary {
  const writtenDays = days?.all.filter((day) =>
    outcomes.some(({ replaced }) => isIn(replaced, { kind: 'day', day })),
  )
  const replacesAll = outcomes.some(({ replaced }) => replaced === 'full')
  const rows = rowsOf(read, replacesAll ? 'full' : rangesOf(writtenDays ?? []))
  const unchanged = outcomes.filter((outcome) => outcome.unchanged)
  const isUnchanged = outcomes.every((outcome) => outcome.unchanged)
  const superseded = outcomes.filter((outcome) => outcome.superseded !== 'none')
  const isSuperseded = outcomes.every((outcome) => outcome.superseded === 'all')
  const total = (value: (outcome: SinkOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0)
  const changes = outcomes.flatMap((outcome) => outcome.changes ?? [])
  const said = [...new Set([...warnings, ...outcomes.flatMap((outcome) => outcome.warnings ?? [])])]
  const places = outcomes.map(({ snapshotId, metadataLocation, parquetLocation }) => ({
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(metadataLocation === undefined ? {} : { metadataLocation }),
    ...(parquetLocation === undefined ? {} : { parquetLocation }),
  }))
  return {
    table,
    status: isSuperseded ? 'superseded' : isUnchanged ? 'unchanged' : 'ok',
    mode,
    rows,
    ...(onlyChanged && { unchangedRows: rowsOf(read, 'full') - rows }),
    ...(onlyChanged && days && writtenDays ? { unchangedDays: days.all.length - writtenDays.length } : {}),
    bytes: total(({ bytes }) => bytes),
    files: total(({ files }) => files),
    ...(Object.keys(changed).length > 0 && { changedValues: changed }),
    ...(changes.length > 0 && { changes }),
    ...(said.length > 0 && { warnings: said }),
    ...(unchanged.length > 0 && !isUnchanged ? { unchanged: unchanged.map(({ format }) => format) } : {}),
    ...(superseded.length > 0 && !isSuperseded ? { superseded: superseded.map(({ format }) => format) } : {}),
    ...places.reduce((all, one) => ({ ...all, ...one }), {}),
  }
}
