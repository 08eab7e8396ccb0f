import type { Outcome } from './summary.ts'

/** Rows of text cells as aligned lines; the last column is as long as it is. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** What a person at a terminal reads of an outcome beside the logs (operations-spec §1.2); '' for nothing. */
export function summaryTable({ items = [], checks = [], settings = {} }: Outcome): string {
  const tables = [
    Object.entries(settings).map(([name, { value, from }]) => [name, from, value]),
    items.map(({ item, state, note = '' }) => [state, item, note]),
    checks.map(({ check, status, milliseconds, detail, fix }) => [
      status,
      check,
      `${milliseconds} ms`,
      fix === undefined ? detail : `${detail}: ${fix}`,
    ]),
  ]
  return tables
    .filter((rows) => rows.length > 0)
    .map(align)
    .join('\n')
}
