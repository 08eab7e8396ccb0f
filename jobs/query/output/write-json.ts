import { JsonDuckDBValueConverter, type DuckDBValueConverter, type Json } from '@duckdb/node-api'
import type { ResultWriter } from './result-writer.ts'
import { unique } from './unique.ts'
import { engineText } from './value-text.ts'

const toJson: DuckDBValueConverter<Json> = (value, type, converter) =>
  engineText(value) ?? JsonDuckDBValueConverter(value, type, converter)

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
      const columns = chunk.convertColumns(toJson)
      const lines: string[] = []
      for (let row = 0; row < chunk.rowCount; row++) {
        const entries = names.map((name, at) => `${JSON.stringify(name)}:${jsonText(columns[at]![row]!)}`)
        lines.push(`{${entries.join(',')}}`)
      }
      const text = `${isFirst ? '\n' : ',\n'}${lines.join(',\n')}`
      isFirst = false
      return text
    },
    end: () => (isFirst ? ']\n' : '\n]\n'),
  }
}

/** JSON.stringify leaves out the sign of -0. */
function jsonText(value: Json): string {
  if (Object.is(value, -0)) return '-0'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const entries = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`)
  return `{${entries.join(',')}}`
}
