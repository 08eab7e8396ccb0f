import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { Footer } from '../../lake/footer/footer.ts'
import { boundOf, hasOwnSize, type RowGroupStatistics } from '../../lake/footer/statistics.ts'
import type { FlatField } from '../../lake/read-rows.ts'
import { metricsFaults } from './metrics-check.ts'
import { bothStatistics, noStatistics, type ColumnStatistics } from './statistics.ts'

/** Holds what a manifest and a footer say of a file's columns against its rows. */
export interface FileCheck {
  /** How many of the next `rows` rows belong together: they are added before the ones behind them. */
  next(rows: number): number
  /** Rows in the order of the file, one statistics for each field. */
  add(columns: readonly ColumnStatistics[]): void
  /** When all rows have been added: what is not true, one line each. */
  faults(): string[]
}

/** `hasAll`: none of the file's rows is deleted; without that its row groups cannot be told apart. */
export function fileCheck(
  file: DataFile,
  { rowGroups }: Pick<Footer, 'rowGroups'>,
  fields: readonly FlatField[],
  hasAll: boolean,
): FileCheck {
  const none = fields.map(({ type }) => noStatistics(type))
  const groups = hasAll ? rowGroups : []
  const found: (readonly ColumnStatistics[])[] = [none]
  let taken = 0
  const both = (
    a: readonly ColumnStatistics[],
    b: readonly ColumnStatistics[],
  ): readonly ColumnStatistics[] => fields.map(({ type }, at) => bothStatistics(type, a[at]!, b[at]!))
  return {
    next(rows) {
      while (found.length < groups.length && taken === groups[found.length - 1]!.rows) {
        found.push(none)
        taken = 0
      }
      return found.length < groups.length ? Math.min(rows, groups[found.length - 1]!.rows - taken) : rows
    },
    add(columns) {
      taken += columns[0]?.rows ?? 0
      found.push(both(found.pop()!, columns))
    },
    faults: () => [
      ...metricsFaults({ ...file, by: 'manifest' }, fields, found.reduce(both, none), hasAll),
      ...groups.flatMap((group, at) =>
        groupFaults(group, fields, found[at] ?? none).map((line) => `row group ${at}: ${line}`),
      ),
    ],
  }
}

function groupFaults(
  { columns }: RowGroupStatistics,
  fields: readonly FlatField[],
  found: readonly ColumnStatistics[],
): string[] {
  const broken: string[] = []
  const [lowerBounds, upperBounds, nullValueCounts] = [
    new Map<number, Uint8Array>(),
    new Map<number, Uint8Array>(),
    new Map<number, number>(),
  ]
  for (const { id, name, type } of fields) {
    const statistics = columns.get(id)
    if (type.kind === 'list' || statistics === undefined) continue
    if ([statistics.min, statistics.max].some((bytes) => bytes && !hasOwnSize(statistics, bytes))) {
      broken.push(`column ${name} has a bound in the footer that is none of its type`)
      continue
    }
    const [lower, upper] = [
      boundOf(type, statistics, statistics.min),
      boundOf(type, statistics, statistics.max),
    ]
    if (lower !== undefined) lowerBounds.set(id, lower)
    if (upper !== undefined) upperBounds.set(id, upper)
    if (statistics.nulls !== undefined) nullValueCounts.set(id, statistics.nulls)
  }
  return [
    ...broken,
    ...metricsFaults({ by: 'footer', lowerBounds, upperBounds, nullValueCounts }, fields, found, true),
  ]
}
