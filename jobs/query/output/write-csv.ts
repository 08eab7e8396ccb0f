import { DuckDBTypeId } from '@duckdb/node-api'
import type { ResultWriter } from './result-writer.ts'
import { valueText } from './value-text.ts'

/** RFC 4180 with LF; NULL is nothing, the empty text is "". */
export function csvWriter(): ResultWriter {
  let floats: readonly boolean[] = []
  return {
    head(result) {
      floats = result.columnTypes().map(({ typeId }) => typeId === DuckDBTypeId.FLOAT)
      return `${result.columnNames().map(field).join(',')}\n`
    },
    rows(chunk) {
      const columns = chunk.getColumns()
      const lines: string[] = []
      for (let row = 0; row < chunk.rowCount; row++)
        lines.push(columns.map((values, at) => field(valueText(values[row]!, floats[at]!))).join(','))
      return `${lines.join('\n')}\n`
    },
    end: () => '',
  }
}

const field = (text: string | undefined): string =>
  text === undefined ? '' : text === '' || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
