import type { Views } from '../options.ts'
import type { InspectReport, TableReport } from '../report-schema.ts'
import { card } from './card.ts'
import { plain, type Screen } from './layout.ts'
import { storageLines } from './storage.ts'
import { treeLines } from './tree.ts'
import { fileList, partitionList, snapshotList, tableLines } from './lists.ts'

/** What people read of a report: a table's screen or the lists that were asked for, of several tables a line each. */
export function reportText({ catalog, tables }: InspectReport, views: Views, screen: Screen): string {
  if (tables.length === 0) return `the catalog ${plain(catalog)} has no tables\n`
  const reports = tables.filter((one): one is TableReport => !('error' in one)).map(shown)
  const lists = views.files || views.snapshots || views.partitions || views.tree
  const lines =
    reports.length > 1 && !lists && !views.storage
      ? tableLines(reports, screen)
      : reports.flatMap((report, index) => [
          ...(index === 0 ? [] : ['']),
          ...(lists ? listLines(report, views, screen, reports.length > 1) : card(report, screen)),
        ])
  return lines.map((line) => `${line}\n`).join('')
}

function listLines(report: TableReport, views: Views, screen: Screen, named: boolean): string[] {
  const { tree, snapshotList: snapshots = [], partitionList: partitions = [], fileList: files = [] } = report
  const parts = [
    named ? [report.table] : [],
    tree === undefined ? [] : treeLines(tree, report.table, screen),
    views.snapshots ? snapshotList(snapshots, screen) : [],
    views.partitions ? partitionList(partitions, report.partitions, screen) : [],
    views.files ? fileList(files, report.location, screen) : [],
    views.storage && report.storage !== undefined ? storageLines(report.storage, screen) : [],
  ].filter((lines) => lines.length > 0)
  return parts.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
}

/** Every text of a report as it may be sent to a terminal. */
function shown<T>(value: T): T {
  if (typeof value === 'string') return plain(value) as T
  if (Array.isArray(value)) return value.map(shown) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, shown(member as unknown)]),
  ) as T
}
