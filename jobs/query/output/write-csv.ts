import type { DuckDBType } from '@duckdb/node-api'
import type { ResultWriter } from './result-writer.ts'
import { valueText } from './value-text.ts'

/** RFC 4180 with LF; NULL is nothing, the empty text is "". */
export function csvWriter(): ResultWriter {
  let types: readonly DuckDBType[] = []
  return {
    head(result) {
      types = result.columnTypes()
      return `${result.columnNames().map(field).join(',')}\n`
    },
    rows(chunk) {
      const columns = chunk.getColumns()
      const lines: string[] = []
      for (let row = 0; row < chunk.rowCount; row++)
        lines.push(columns.map((values, at) => field(valueText(values[row]!, types[at]!))).join(','))
      return `${lines.join('\n')}\n`
    },
    end: () => '',
  }
}

const field = (text: string | undefined): string =>
  text === undefined ? '' : text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
