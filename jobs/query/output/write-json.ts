import { JsonDuckDBValueConverter } from '@duckdb/node-api'
import type { ResultWriter } from './result-writer.ts'
import { unique } from './unique.ts'

/**
 * An array of objects, one a line. Whole numbers of 64 bits and more and decimals are texts, by their type, whatever the
 * value is; others of up to 32 bits and floats are numbers, NaN and infinities texts.
 */
export function jsonWriter(): ResultWriter {
  let names: readonly string[] = []
  let isFirst = true
  return {
    head(result) {
      names = unique(result.columnNames())
      return '['
    },
    rows(chunk) {
      const columns = chunk.convertColumns(JsonDuckDBValueConverter)
      const lines: string[] = []
      for (let row = 0; row < chunk.rowCount; row++) {
        const entries = names.map(
          (name, at) => `${JSON.stringify(name)}:${JSON.stringify(columns[at]![row])}`,
        )
        lines.push(`{${entries.join(',')}}`)
      }
      const text = `${isFirst ? '\n' : ',\n'}${lines.join(',\n')}`
      isFirst = false
      return text
    },
    end: () => (isFirst ? ']\n' : '\n]\n'),
  }
}
