import type { FileReport, PartitionReport, SnapshotReport, TableReport } from '../report-schema.ts'
import { aligned, cut, cutMiddle, type Screen } from './layout.ts'
import { changeText, countText, numberText, timeText, writerText } from './words.ts'

/** Cells of a timeline, newest first: a star stands before what main came through. */
const snapshotRows = (snapshots: readonly SnapshotReport[]): string[][] =>
  snapshots.map((snapshot) => [
    `${snapshot.inMain ? '*' : ' '} ${snapshot.id}`,
    timeText(snapshot.at).slice(0, 16),
    snapshot.operation,
    changeText(snapshot.addedRows, snapshot.removedRows),
    snapshot.refs.length === 0 ? '' : `(${snapshot.refs.join(', ')})`,
  ])

/** `--snapshots` */
export const snapshotList = (snapshots: readonly SnapshotReport[], screen: Screen): string[] =>
  table(
    ['snapshot', 'made (UTC)', 'operation', 'rows', 'refs', 'by'],
    snapshots.map((snapshot, index) => [...snapshotRows(snapshots)[index]!, writerText(snapshot)]),
    [false, false, false, true],
    screen,
  )

/** `--partitions`: the days that are missing stand between those that are there. */
export function partitionList(
  partitions: readonly PartitionReport[],
  { days }: TableReport['partitions'],
  screen: Screen,
): string[] {
  const rows = partitions.map((one) => [
    one.partition,
    numberText(one.files),
    numberText(one.rows),
    numberText(one.bytes),
    [
      one.smallFiles > 1 ? `${numberText(one.smallFiles)} small` : [],
      one.filesWithDeletes > 0 ? `${numberText(one.filesWithDeletes)} with deletes` : [],
    ]
      .flat()
      .join(', '),
  ])
  const missing = (days?.missing ?? []).map(
    ({ from, to }) => `missing: ${from === to ? from : `${from} to ${to}`}`,
  )
  return [
    ...table(['partition', 'files', 'rows', 'bytes', ''], rows, [false, true, true, true], screen),
    ...missing,
  ]
}

/** `--files` */
export const fileList = (files: readonly FileReport[], location: string, screen: Screen): string[] => {
  const rows = files.map((file) => [
    numberText(file.rows),
    numberText(file.bytes),
    String(file.sequence),
    file.deletes === 0 ? '' : String(file.deletes),
    file.path.startsWith(`${location}/`) ? file.path.slice(location.length + 1) : file.path,
  ])
  const heading = ['rows', 'bytes', 'sequence', 'deletes', 'file']
  const right = [true, true, true, true]
  // Of a path both ends are wanted.
  const [first = ''] = aligned([heading, ...rows], right)
  const left = first.length - 'file'.length
  const width = screen.width === undefined ? undefined : Math.max(20, screen.width - left)
  const short = rows.map((row) => [...row.slice(0, -1), cutMiddle(row.at(-1)!, width)])
  return files.length === 0 ? ['no files'] : table(heading, short, right, screen)
}

const table = (
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[],
  { width }: Screen,
): string[] => aligned([heading, ...rows], right).map((line) => cut(line, width))

/** A line for each table of many. */
export const tableLines = (reports: readonly TableReport[], { width }: Screen): string[] =>
  table(
    ['table', 'rows', 'files', 'bytes', 'last commit (UTC)', 'to do'],
    reports.map(({ table: name, rows, files, bytes, snapshot, verdicts }) => [
      name,
      numberText(rows),
      numberText(files),
      numberText(bytes),
      snapshot === undefined ? 'none' : timeText(snapshot.at).slice(0, 16),
      verdicts.length === 0 ? 'nothing' : countText(verdicts.length, 'thing'),
    ]),
    [false, true, true, true],
    { width, colours: false },
  )
