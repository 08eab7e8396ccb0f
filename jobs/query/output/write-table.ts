import { DuckDBTypeId, type DuckDBDataChunk, type DuckDBResult, type DuckDBType } from '@duckdb/node-api'
import stringWidth from 'fast-string-width'
import type { ResultWriter } from './result-writer.ts'
import { valueText } from './value-text.ts'

const numbers: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
])

const gap = '  '
const least = 4

/**
 * For people: numbers to the right, NULL said, nothing that a terminal would obey. Columns are as wide as the first rows
 * (a chunk of the engine's) need, at most as all of them together fit into `width`; what is longer ends in `…`.
 */
export function tableWriter(width: number | undefined): ResultWriter {
  let names: readonly string[] = []
  let types: readonly DuckDBType[] = []
  let widths: readonly number[] | undefined
  const cellsOf = (chunk: DuckDBDataChunk): string[][] => {
    const columns = chunk.getColumns()
    return Array.from({ length: chunk.rowCount }, (_, row) =>
      columns.map((values, at) => shown(valueText(values[row]!, types[at]!) ?? 'NULL')),
    )
  }
  const line = (cells: readonly string[]): string =>
    widths!
      .map((room, at) => place(cells[at]!, room, numbers.has(types[at]!.typeId), width !== undefined))
      .join(gap)
      .trimEnd()
  const begin = (rows: readonly (readonly string[])[]): string[] => {
    const own = names.map((name, at) =>
      rows.reduce((most, row) => Math.max(most, stringWidth(row[at]!)), stringWidth(name)),
    )
    widths = width === undefined ? own : fitted(own, width)
    const hidden = names.length - widths.length
    return [
      `${line(names)}${hidden === 0 ? '' : `${gap}(and ${hidden} more columns)`}`,
      widths.map((room) => '-'.repeat(room)).join(gap),
    ]
  }
  return {
    head(result: DuckDBResult) {
      names = result.columnNames().map(shown)
      types = result.columnTypes()
      return ''
    },
    rows(chunk) {
      const cells = cellsOf(chunk)
      const lines = [...(widths === undefined ? begin(cells) : []), ...cells.map(line)]
      return `${lines.join('\n')}\n`
    },
    end: () => (widths === undefined ? `${begin([]).join('\n')}\n` : ''),
  }
}

/** Controls, and what turns the direction of text, by their escapes. */
const shown = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => escapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The widest are cut first; where even the least is too much, the last columns are left out. */
export function fitted(widths: readonly number[], total: number): number[] {
  const sum = (cap: number, shownWidths: readonly number[]): number =>
    shownWidths.reduce((all, one) => all + Math.min(one, cap), gap.length * (shownWidths.length - 1))
  let kept = [...widths]
  while (kept.length > 1 && sum(least, kept) > total) kept = kept.slice(0, -1)
  let cap = Math.max(...kept, least)
  while (cap > least && sum(cap, kept) > total) cap--
  return kept.map((one) => Math.min(one, cap))
}

function place(text: string, room: number, toTheRight: boolean, isCut: boolean): string {
  const own = stringWidth(text)
  if (own <= room)
    return toTheRight ? text.padStart(text.length + room - own) : text.padEnd(text.length + room - own)
  if (!isCut) return text
  let end = text.slice(0, 2 * room)
  // A pair of surrogates goes as one.
  while (stringWidth(end) > room - 1) end = end.replace(/[^]$/u, '')
  return `${end}…`.padEnd(end.length + 1 + room - stringWidth(end) - 1)
}
