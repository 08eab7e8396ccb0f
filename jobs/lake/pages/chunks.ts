import { isDeepStrictEqual } from 'node:util'
import type { FileMetaData } from 'hyparquet'
import { logicalType } from '../../iceberg/writer/parquet-columns.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { RawFooter } from '../footer/footer.ts'
import type { FlatField } from '../read-rows.ts'
import { ownColumns } from './own-footer.ts'

/** A column of a row group; places are bytes of the file. */
export interface Chunk {
  readonly start: number
  /** Where its data pages begin, behind the dictionary. */
  readonly dataStart: number
  readonly end: number
  /** Pages with their headers, before compression. */
  readonly uncompressedSize: number
  readonly isCompressed: boolean
  /** Its pages carry definition levels. */
  readonly isOptional: boolean
}

export interface RowGroup {
  readonly rows: number
  /** One for each field. */
  readonly chunks: readonly Chunk[]
}

/** Rows of a row group whose hashes the kernel has room for. */
export const mostRows = 2 ** 20

/**
 * Where the fields' values lie in a file. Undefined where the file is not one of the export's with these very types, flat, and
 * uncompressed or in Snappy: then another has to read it.
 */
export function ownRowGroups(raw: RawFooter, fields: readonly FlatField[]): readonly RowGroup[] | undefined {
  try {
    return rowGroupsOf(raw, fields)
  } catch (error) {
    // What hyparquet makes of a damaged footer has any shape, whatever its types say.
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
      return undefined
    throw error
  }
}

function rowGroupsOf(raw: RawFooter, fields: readonly FlatField[]): readonly RowGroup[] | undefined {
  const columns = ownColumns(raw)
  if (columns === undefined) return undefined
  const { row_groups: groups } = raw.parsed
  const places = fields.map((field) => placeOf(field, columns))
  const own: RowGroup[] = []
  for (const group of groups) {
    if (group.num_rows > mostRows) return undefined
    const chunks = places.map((at) =>
      at === undefined ? undefined : chunkOf(group.columns[at]!, columns[at]!, group.num_rows),
    )
    if (!chunks.every((chunk) => chunk !== undefined)) return undefined
    own.push({ rows: Number(group.num_rows), chunks })
  }
  return own
}

/** Which of the columns is the field, if it is one alone and has its very type. */
function placeOf({ id, type }: FlatField, columns: readonly ParquetColumn[]): number | undefined {
  const found = columns.flatMap((column, at) => (column.fieldId === id ? [at] : []))
  const [at] = found
  return found.length === 1 &&
    type.kind !== 'list' &&
    isDeepStrictEqual(columns[at!]!.type, logicalType(type))
    ? at
    : undefined
}

function chunkOf(
  { meta_data: data }: FileMetaData['row_groups'][number]['columns'][number],
  { required }: ParquetColumn,
  rows: bigint,
): Chunk | undefined {
  if (data?.num_values !== rows) return undefined
  const isCompressed = data.codec === 'SNAPPY'
  if (!isCompressed && data.codec !== 'UNCOMPRESSED') return undefined
  const dataStart = Number(data.data_page_offset)
  const start = Number(data.dictionary_page_offset ?? data.data_page_offset)
  const end = start + Number(data.total_compressed_size)
  if (!(start > 0 && start <= dataStart && dataStart < end && Number.isSafeInteger(end))) return undefined
  const uncompressedSize = Number(data.total_uncompressed_size)
  return { start, dataStart, end, uncompressedSize, isCompressed, isOptional: !required }
}
