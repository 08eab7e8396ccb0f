import type { ColumnReport, SnapshotReport, TableReport, Verdict } from '../report-schema.ts'
import { aligned, besideLabel, cut, cutMiddle, labelled, painted, wrapped, type Screen } from './layout.ts'
import { storageLines } from './storage.ts'
import { ageText, bytesText, changeText, countText, numberText, timeText, writerText } from './words.ts'

/** One table on one screen. */
export function card(report: TableReport, screen: Screen): string[] {
  const width = besideLabel(screen.width)
  const short = (lines: readonly string[]): string[] => lines.map((line) => cut(line, width))
  const broken = (lines: readonly string[]): string[] => lines.flatMap((line) => wrapped(line, width, 2))
  return [
    painted(cut(report.table, screen.width), 'bold', screen),
    ...labelled('location', [cutMiddle(report.location, width)]),
    ...labelled('format', short([formatText(report)])),
    ...labelled('holds', short([holdsText(report)])),
    ...labelled('last commit', wrapped(commitText(report.snapshot), width)),
    '',
    ...labelled('file sizes', short(histogram(report))),
    ...labelled('partitions', broken(partitionLines(report))),
    ...labelled('snapshots', short(snapshotLines(report))),
    ...labelled('schema', short(schemaLines(report))),
    ...labelled('metadata', broken(metadataLines(report))),
    ...labelled('deletes', broken([deletesText(report)])),
    ...labelled('readers', readerLines(report, width)),
    ...(report.storage === undefined ? [] : storageLines(report.storage, screen)),
    '',
    ...labelled('to do', verdictLines(report.verdicts, width, screen)),
  ]
}

function formatText({ formatVersion, partitions: { by }, managed }: TableReport): string {
  const partitioned = by.length === 0 ? 'not partitioned' : `partitioned by ${by.join(', ')}`
  return `version ${formatVersion}, ${partitioned}${managed ? ', managed by lakejobs' : ''}`
}

const holdsText = ({ rows, files, bytes, deletes }: TableReport): string =>
  `${countText(rows, 'row')} in ${countText(files, 'file')}, ${bytesText(bytes)} (${numberText(bytes)} bytes)${
    deletes.filesWithDeletes > 0 ? ', deleted rows among them' : ''
  }`

function commitText(snapshot: SnapshotReport | undefined): string {
  if (snapshot === undefined) return 'none yet: the table is empty'
  const { ageSeconds, at, operation, id } = snapshot
  return `${ageText(ageSeconds)} (${timeText(at)} UTC), ${operation} by ${writerText(snapshot)}, snapshot ${id}`
}

const barWidth = 20

function histogram({ fileSizes: { targetBytes, bytes, buckets }, files }: TableReport): string[] {
  if (bytes === undefined) return ['no files']
  const most = Math.max(...buckets.map((bucket) => bucket.files))
  const wanted = 3
  const rows = buckets.map((bucket, index) => {
    const above = buckets[index - 1]?.below
    const range =
      bucket.below === undefined
        ? `above ${bytesText(above ?? 0)}`
        : above === undefined
          ? `below ${bytesText(bucket.below)}`
          : `${bytesText(above)} to ${bytesText(bucket.below)}`
    return [
      range,
      numberText(bucket.files),
      '#'.repeat(Math.ceil((bucket.files / most) * barWidth)).padEnd(barWidth),
      index === wanted ? '<- where they should be' : '',
    ]
  })
  const { least, median, most: largest } = bytes
  const sizes =
    files === 1 ? '' : `; ${bytesText(least)} to ${bytesText(largest)}, median ${bytesText(median)}`
  return [`target ${bytesText(targetBytes)}${sizes}`, ...aligned(rows, [false, true])]
}

function partitionLines({ partitions }: TableReport): string[] {
  const { by, count, rows, largest, days, otherSpecFiles } = partitions
  if (by.length === 0 && otherSpecFiles === 0) return ['none']
  const lines = [[numberText(count), ...daysText(days)].join(', ')]
  if (rows !== undefined && count > 1) {
    const skew = rows.median === 0 ? '' : `, ${(rows.most / rows.median).toFixed(1)} times the median`
    lines.push(
      `${numberText(rows.least)} to ${numberText(rows.most)} rows each, median ${numberText(rows.median)}; largest ${largest?.partition ?? ''}${skew}`,
    )
  }
  if (otherSpecFiles > 0) lines.push(`${countText(otherSpecFiles, 'file')} partitioned in an earlier way`)
  return lines
}

function daysText(days: TableReport['partitions']['days']): string[] {
  if (days === undefined) return []
  const { column, first, last, missingDays, emptyDays } = days
  return [
    `${column} ${first} to ${last}`,
    missingDays === 0 ? 'no day missing' : `${countText(missingDays, 'day')} missing`,
    ...(emptyDays === 0 ? [] : [`${countText(emptyDays, 'day')} empty at the source`]),
  ]
}

function snapshotLines({ snapshots: { count, oldest, newest, abandoned }, refs }: TableReport): string[] {
  if (count === 0) return ['none']
  const left = abandoned === 0 ? '' : `, ${abandoned} left behind by a rollback`
  const named = refs.filter(({ name }) => name !== 'main').map(({ name, type }) => `${type} ${name}`)
  const more = count - newest.length
  return [
    `${numberText(count)}, the oldest of ${timeText(oldest ?? '')}${left}`,
    ...(named.length === 0 ? [] : [`beside main: ${named.join(', ')}`]),
    ...aligned(newestRows(newest)),
    ...(more > 0 ? [`${numberText(more)} more: --snapshots`] : []),
  ]
}

/** What a screen of 80 columns takes. */
const newestRows = (snapshots: readonly SnapshotReport[]): string[][] =>
  snapshots.map(({ id, at, operation, refs, inMain, addedRows, removedRows }) => [
    id,
    timeText(at).slice(5, 16),
    operation,
    refs.length > 0 ? `(${refs.join(', ')})` : inMain ? '' : 'not in main',
    changeText(addedRows, removedRows),
  ])

/** Parts of nested columns come behind those, under their names. */
const isWhole = ({ name }: ColumnReport, at: number, columns: readonly ColumnReport[]): boolean =>
  !columns.slice(0, at).some((one) => nestedTypes.has(one.type) && name.startsWith(`${one.name}.`))

const nestedTypes = new Set(['struct', 'list', 'map'])

const mostColumns = 12
const mostSchemas = 4

function schemaLines({ schema: { id, columns, history } }: TableReport): string[] {
  const rows = columns
    .slice(0, mostColumns)
    .map(({ id: field, name, type, required }) => [
      String(field),
      name,
      `${type}${required ? ', required' : ''}`,
    ])
  const more = columns.length - mostColumns
  const changes = history.slice(-mostSchemas).map(({ from, to, at, changes: what }) => {
    const when = at === undefined ? '' : ` (${timeText(at).slice(0, 10)})`
    return `${from} to ${to}${when}: ${what.join('; ')}`
  })
  return [
    `id ${id}, ${countText(columns.filter(isWhole).length, 'column')}`,
    ...aligned(rows, [true]),
    ...(more > 0 ? [`${numberText(more)} more: --json`] : []),
    ...(history.length > changes.length
      ? [`${history.length - changes.length} earlier changes: --json`]
      : []),
    ...changes,
  ]
}

function metadataLines({ metadata }: TableReport): string[] {
  const { bytes, previousFiles, manifests, manifestBytes, planningBytes } = metadata
  const own = bytes === undefined ? '' : ` of ${bytesText(bytes)}`
  return [
    `file${own}, ${countText(previousFiles, 'earlier one')} kept; ${countText(manifests, 'manifest')} of ${bytesText(manifestBytes)}`,
    `planning a scan reads ${bytesText(planningBytes)}`,
  ]
}

function deletesText({ deletes }: TableReport): string {
  const kinds = [
    deletes.positionFiles > 0 ? countText(deletes.positionFiles, 'file') + ' of position deletes' : [],
    deletes.vectors > 0 ? countText(deletes.vectors, 'deletion vector') : [],
    deletes.equalityFiles > 0 ? countText(deletes.equalityFiles, 'file') + ' of equality deletes' : [],
  ].flat()
  if (kinds.length === 0) return 'none'
  const dangling = deletes.dangling === 0 ? '' : `, ${deletes.dangling} of them applying to nothing`
  return `${kinds.join(', ')}: ${countText(deletes.rows, 'row')} in ${countText(deletes.filesWithDeletes, 'data file')}${dangling}`
}

const readerLines = ({ readers }: TableReport, width: number | undefined): string[] =>
  readers.length === 0
    ? ['none is known to refuse it']
    : readers.flatMap(({ reader, cannot, because, fix }) =>
        wrapped(`${reader} cannot ${cannot}: ${because}${fix === undefined ? '' : ` (${fix})`}`, width, 2),
      )

/** Commands are never cut: they are there to be copied. */
function verdictLines(verdicts: readonly Verdict[], width: number | undefined, screen: Screen): string[] {
  if (verdicts.length === 0) return [painted('nothing', 'green', screen)]
  return verdicts.flatMap(({ level, what, commands }) => [
    ...wrapped(what, width, 2).map((line) => painted(line, level === 'wrong' ? 'red' : 'yellow', screen)),
    ...commands.map((command) => `  ${command}`),
  ])
}
