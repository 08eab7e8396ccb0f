import { listed } from '../errors.ts'
import type { Outcome, TableSummary } from '../summary.ts'

type Row = readonly string[]
type MaintainedTable = NonNullable<TableSummary['maintained']>

/** Rows of text cells as aligned lines; the last column is as long as it is. */
function align(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: Row): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${line(row)}\n`).join('')
}

/**
 * What a person at a terminal reads of an outcome beside the logs (operations-spec §1.2); '' for nothing.
 *
 * @param seconds that the run took
 */
export function summaryTable(outcome: Outcome, seconds: number): string {
  const { items = [], checks = [], settings = {}, tables = [], managed = {} } = outcome
  const pace = paceRows(outcome, seconds)
  // Results beside the tables have numbers of their own.
  const isOfOneTable = tables.length === 1 && outcome.outputs === undefined
  const hasOwnCounts = tables.length === 0 || outcome.outputs !== undefined
  const parts = [
    Object.entries(settings).map(([name, { value, from }]) => [name, from, value]),
    items.map(({ item, state, note = '' }) => [state, item, note]),
    Object.keys(managed).map((table) => [table]),
    checks.map(({ check, status, milliseconds, detail, fix }) => [
      status,
      check,
      `${milliseconds} ms`,
      fix === undefined ? detail : `${detail}: ${fix}`,
    ]),
    ...tables.flatMap((table) => [
      [...tableRows(table), ...(isOfOneTable ? pace : [])],
      columnRows(table),
      verifiedRows(table),
      maintainedRows(table.maintained),
      ...(table.maintained?.steps ?? []).flatMap((step) => [stepRows(step), maintainedRows(step)]),
    ]),
    // Of one table it is the table's own.
    isOfOneTable ? [] : [...(hasOwnCounts ? countRows(outcome) : []), ...pace],
  ]
  return parts
    .filter((rows) => rows.length > 0)
    .map(align)
    .join('\n')
}

/** How long the run took, where it counted rows. */
function paceRows({ rows = 0 }: Outcome, seconds: number): Row[] {
  if (rows === 0) return []
  return present({ seconds, 'rows/s': Math.round(rows / Math.max(seconds, 0.001)) })
}

/** What was done to one table, or of a dry run what would be. */
function tableRows({ table, status, error, plan, verified, maintained, ...rest }: TableSummary): Row[] {
  const compared = verified && {
    'compared with': verified.against === 'source' ? 'what was written, and the source' : 'what was written',
    'columns compared': verified.columns === 0 ? 'none: counts only' : verified.columns,
    'not compared': verified.columnsNotCompared,
  }
  const done = maintained && doneRows(maintained)
  return present({
    table: `${table}: ${status}`,
    ...rest,
    ...compared,
    ...done,
    error,
    ...plan,
    columns: undefined,
  })
}

/** One of several, with its name. */
const stepRows = (step: Omit<MaintainedTable, 'steps'>): Row[] =>
  present({ ...doneRows(step), [step.operation]: step.dryRun ? dryRunWords : 'done' })

const dryRunWords = 'a dry run: nothing was changed'

/** What one maintenance did to a table. */
function doneRows(maintained: Omit<MaintainedTable, 'steps'>): Record<string, unknown> {
  return {
    [maintained.operation]: maintained.dryRun ? dryRunWords : undefined,
    ...rewrittenRows(maintained),
    ...mergedRows(maintained),
    snapshots:
      maintained.snapshots && `${cell(maintained.snapshots.before)} → ${cell(maintained.snapshots.after)}`,
    'refs removed': maintained.removedRefs,
    'kept, as rows were lost after it': maintained.keptBeforeShrink,
    'hidden by versions, not freed': maintained.hidden,
    'left alone': maintained.leftAlone?.map((left) =>
      [`${amount(left)}: ${left.reason}`, ...(left.examples ?? [])].join(' '),
    ),
    'would be refused': maintained.refused,
    'not removed': maintained.notRemoved && amount(maintained.notRemoved),
  }
}

/** What was put into other files, or of a dry run would be; rows are the table's own. */
const rewrittenRows = ({ rewritten, dryRun }: Omit<MaintainedTable, 'steps'>): Record<string, unknown> =>
  rewritten === undefined
    ? {}
    : {
        [dryRun ? 'would be put together' : 'put together']:
          `${amount(rewritten.from)} → ${dryRun ? `about ${counted(rewritten.to.files)}` : amount(rewritten.to)}`,
        'deleted rows applied': rewritten.deletedRows === 0 ? undefined : rewritten.deletedRows,
        commits: dryRun ? undefined : rewritten.commits,
        'planned anew, as others came first': rewritten.replanned,
      }

const mergedRows = ({
  mergedManifests,
  dryRun,
}: Omit<MaintainedTable, 'steps'>): Record<string, unknown> => ({
  [dryRun ? 'manifests that would be put together' : 'manifests put together']:
    mergedManifests && `${cell(mergedManifests.from.files)} → ${cell(mergedManifests.to.files)}`,
})

/** The columns of a dry run's plan: name, type in PostgreSQL, type in the lake. */
function columnRows({ plan }: TableSummary): Row[] {
  const columns = Array.isArray(plan?.['columns']) ? plan['columns'] : []
  return columns.map((column: Record<string, unknown>) => [
    `  ${cell(column['name'])}`,
    cell(column['source']),
    `${cell(column['type'])}${column['required'] === true ? ', required' : ''}`,
  ])
}

const resultWords = {
  match: 'match',
  changed: 'changed since',
  mismatch: 'WRONG',
  incomplete: 'WRONG',
  unverified: 'not verified',
} as const

const differenceWords = {
  missing: 'not in the lake',
  extra: 'in the lake alone',
  changed: 'differs',
} as const

/** What `verify` found: interval, word, rows, why. */
function verifiedRows({ verified }: TableSummary): Row[] {
  if (verified === undefined) return []
  const { intervals, match, changed, mismatch, incomplete, unverified } = verified
  const more = match + changed + mismatch + incomplete + unverified - intervals.length
  return [
    ...intervals.map(({ interval, result, rows, writtenRows, sourceRows, reason }) => [
      `  ${interval}`,
      resultWords[result],
      [
        `${cell(rows)} rows`,
        writtenRows === undefined || writtenRows === rows ? [] : `${cell(writtenRows)} written`,
        sourceRows === undefined || sourceRows === rows ? [] : `${cell(sourceRows)} in the source`,
      ]
        .flat()
        .join(', '),
      reason ?? '',
    ]),
    ...intervals.flatMap(({ interval, rowsThatDiffer = [] }) =>
      rowsThatDiffer.map(({ kind, row, columns = {} }) => [
        `  ${interval}`,
        differenceWords[kind],
        Object.entries(row)
          .map(([name, value]) => `${name} ${value ?? 'NULL'}`)
          .join(', '),
        Object.entries(columns)
          .map(([name, { lake, source }]) => `${name} ${lake ?? 'NULL'}, in the source ${source ?? 'NULL'}`)
          .join('; '),
      ]),
    ),
    ...(more > 0 ? [[`  ${more} more`, resultWords[intervals.at(-1)!.result], '', '']] : []),
  ]
}

const counted = (files: number): string => `${cell(files)} ${files === 1 ? 'file' : 'files'}`

const amount = ({ files, bytes }: { readonly files: number; readonly bytes: number }): string =>
  `${counted(files)}, ${cell(bytes)} bytes`

/** What `maintain` freed, by kind. */
function maintainedRows(maintained: Omit<MaintainedTable, 'steps'> | undefined): Row[] {
  if (maintained === undefined || maintained.files.length === 0) return []
  const freed = maintained.dryRun ? 'would be freed' : 'freed'
  return [
    ['  files', 'before', 'after', freed],
    ...maintained.files.map((kind) => [
      `  ${kind.kind}`,
      amount(kind.before),
      amount(kind.after),
      kind.freed.files === 0 ? 'nothing' : amount(kind.freed),
    ]),
  ]
}

/** What a job counted beside its tables. */
function countRows({ from, to, rows, bytes, files, rejects, missingDays, outputs }: Outcome): Row[] {
  const days = from === to ? from : `${from ?? ''} to ${to ?? ''}`
  return present({
    days: from === undefined ? undefined : days,
    rows,
    bytes,
    files,
    rejects: rejects === 0 ? undefined : rejects,
    missing: missingDays,
    results: outputs,
  })
}

const labels: Readonly<Record<string, string>> = {
  unchangedDays: 'unchanged days',
  unchangedRows: 'unchanged rows',
  snapshotId: 'snapshot',
  metadataLocation: 'metadata',
  parquetLocation: 'Parquet',
  estimatedRows: 'rows, estimated',
  dayColumn: 'day column',
  partitionedBy: 'partitioned by',
  replacedRows: 'rows replaced',
  replacedFiles: 'files replaced',
}

/** Name and value of what is there; empty lists are not. */
const present = (values: Readonly<Record<string, unknown>>): Row[] =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => [labels[name] ?? name, cell(value)])

function cell(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en-US')
  if (Array.isArray(value)) return listed(value.map(cell))
  return typeof value === 'string' ? value : JSON.stringify(value)
}
