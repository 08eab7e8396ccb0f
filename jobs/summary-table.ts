import type { Outcome, TableSummary } from './summary.ts'

type Row = readonly string[]

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

/** What a person at a terminal reads of an outcome beside the logs (operations-spec §1.2); '' for nothing. */
export function summaryTable(outcome: Outcome): string {
  const { items = [], checks = [], settings = {}, tables = [] } = outcome
  const parts = [
    Object.entries(settings).map(([name, { value, from }]) => [name, from, value]),
    items.map(({ item, state, note = '' }) => [state, item, note]),
    checks.map(({ check, status, milliseconds, detail, fix }) => [
      status,
      check,
      `${milliseconds} ms`,
      fix === undefined ? detail : `${detail}: ${fix}`,
    ]),
    ...tables.flatMap((table) => [tableRows(table), columnRows(table)]),
    tables.length === 0 ? countRows(outcome) : [],
  ]
  return parts
    .filter((rows) => rows.length > 0)
    .map(align)
    .join('\n')
}

/** What was done to one table, or of a dry run what would be. */
function tableRows({ table, status, error, plan, ...rest }: TableSummary): Row[] {
  return present({ table: `${table}: ${status}`, ...rest, error, ...plan, columns: undefined })
}

/** The columns of a dry run's plan: name, type in PostgreSQL, type in the lake. */
function columnRows({ plan }: TableSummary): Row[] {
  const columns = Array.isArray(plan?.['columns']) ? plan['columns'] : []
  return columns.map((column: Record<string, unknown>) => [
    `  ${cell(column['name'])}`,
    cell(column['source']),
    `${cell(column['type'])}${column['required'] === true ? ', required' : ''}`,
  ])
}

/** What a job without tables counted. */
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
  if (Array.isArray(value)) return value.map(cell).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
