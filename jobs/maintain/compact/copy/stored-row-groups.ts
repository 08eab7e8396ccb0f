import type { DataFile } from '../../../iceberg/manifest/data-file.ts'
import type { MetricsMode } from '../../../iceberg/metrics/metrics-mode.ts'
import type { RelocatableChunk } from '../../../parquet/chunk.ts'
import { leafId, type ParquetColumn } from '../../../parquet/column.ts'
import { codecs } from '../../../parquet/footer.ts'
import { encodings, pageTypes } from '../../../parquet/page.ts'
import type { Bound } from '../../../parquet/statistics/truncate.ts'
import type { RowGroupSettings } from '../row-groups.ts'
import type { StoredChunk, StoredRowGroup } from './stored-footer.ts'

/** A row group in its file: all that is known of it, without its bytes. */
export interface CopyableRowGroup {
  /** Where its bytes begin. */
  readonly start: number
  /** How many there are. */
  readonly size: number
  readonly rowCount: number
  /** They follow each other from `start` on. */
  readonly chunks: readonly RelocatableChunk[]
}

/** What the row groups of a table's files must be like to stay as they are. */
export interface CopySettings extends Pick<RowGroupSettings, 'columns' | 'codec' | 'pages'> {
  /** What is kept of each column, by its leaf's id. */
  readonly modes: ReadonlyMap<number, MetricsMode>
  /** Bytes of a row group; larger ones are parted. */
  readonly mostBytes: number
}

/** What the footer's bounds of text hold: all of sixteen characters. */
const footerCharacters = 16

/**
 * The row groups of a file (`storedRowGroups`), as they could be put into another one byte by byte, with all that a footer and a
 * manifest say of them. Undefined where they cannot: with another codec, larger pages, too many bytes, or where something is
 * not known that the table's metrics need. `file`: knows how many values are NaN, which no footer does.
 */
export function copyableRowGroups(
  stored: readonly StoredRowGroup[],
  file: Pick<DataFile, 'nanValueCounts'>,
  settings: CopySettings,
): readonly CopyableRowGroup[] | undefined {
  const { columns } = settings
  const groups: CopyableRowGroup[] = []
  for (const { field_1: chunks, field_3: rows } of stored) {
    const first = chunks[0]?.field_3
    if (first === undefined || chunks.length !== columns.length) return undefined
    const [start, rowCount] = [startOf(first), Number(rows)]
    let end = start
    const copied: RelocatableChunk[] = []
    for (const [at, column] of columns.entries()) {
      const chunk = chunks[at]!.field_3
      const known = chunk && startOf(chunk) === end ? copyable(column, chunk, rowCount, settings) : undefined
      if (known === undefined) return undefined
      copied.push(known)
      end += known.compressedSize
    }
    if (end - start > settings.mostBytes) return undefined
    groups.push({ start, size: end - start, rowCount, chunks: copied })
  }
  return withNans(groups, file, settings)
}

const startOf = ({ field_9: data, field_11: dictionary }: StoredChunk): number => Number(dictionary ?? data)

function copyable(
  column: ParquetColumn,
  chunk: StoredChunk,
  rowCount: number,
  { codec, pages, modes }: CopySettings,
): RelocatableChunk | undefined {
  const { field_12: known = {}, field_13: encoded = [] } = chunk
  if (chunk.field_4 !== codecs[codec] || known.field_3 === undefined) return undefined
  const pagesOf = (encoding: number): number =>
    encoded.find(({ field_1: type, field_2: of }) => type === pageTypes.data && of === encoding)?.field_3 ?? 0
  const [indexedPages, plainPages] = [pagesOf(encodings.RLE_DICTIONARY), pagesOf(encodings.PLAIN)]
  if (indexedPages + plainPages < Math.ceil(rowCount / pages.pageRows)) return undefined
  const nullCount = Number(known.field_3)
  const [min, max] = [bound(known.field_6, known.field_8), bound(known.field_5, known.field_7)]
  const valueCount = Number(chunk.field_5)
  if (!areLongEnough(column, modes.get(leafId(column)), valueCount > nullCount, [min, max])) return undefined
  return {
    blocks: [],
    codec,
    dataPageOffset: Number(chunk.field_9) - startOf(chunk),
    compressedSize: Number(chunk.field_7),
    uncompressedSize: Number(chunk.field_6),
    indexedPages,
    plainPages,
    statistics: { nullCount, min, max },
    metrics: { valueCount, nullCount, nanCount: undefined, min, max },
    // The footer tells where it is, not what (stored-page-indexes.ts).
    pageIndex: undefined,
  }
}

const bound = (bytes: Uint8Array | undefined, exact = false): Bound | undefined => bytes && { bytes, exact }

/** Whether the footer's bounds are all that a manifest is to have: those of text are shortened, and readers take full ones for values. */
function areLongEnough(
  { type, element }: ParquetColumn,
  mode: MetricsMode | undefined,
  hasValues: boolean,
  bounds: readonly (Bound | undefined)[],
): boolean {
  if (element !== undefined || !hasValues || (type.kind !== 'string' && type.kind !== 'binary')) return true
  if (mode === undefined || mode.kind === 'none' || mode.kind === 'counts') return true
  if (mode.kind === 'truncate' && mode.length <= footerCharacters) return true
  return bounds.every((one) => one?.exact === true)
}

/** Whether all values of a chunk are NaN, if there are any: it has no bounds. Of elements there are none to tell by. */
const isAllNan = ({ element }: ParquetColumn, { metrics }: RelocatableChunk): boolean =>
  element === undefined && metrics.min === undefined

/**
 * The same, with a file's NaNs in the row groups that can have them: only their sum is kept, but a row group without bounds has
 * nothing else, and one with bounds something else. Undefined where that cannot be.
 */
function withNans(
  groups: readonly CopyableRowGroup[],
  { nanValueCounts }: Pick<DataFile, 'nanValueCounts'>,
  { columns, modes }: CopySettings,
): readonly CopyableRowGroup[] | undefined {
  const left = new Map<number, number>()
  for (const [at, column] of columns.entries()) {
    if (column.type.kind !== 'float' && column.type.kind !== 'double') continue
    const id = leafId(column)
    const isKept = (modes.get(id)?.kind ?? 'none') !== 'none'
    const all = isKept ? nanValueCounts?.get(id) : 0
    if (all === undefined) return undefined
    const chunks = groups.map((group) => group.chunks[at]!)
    const alone = chunks.filter((chunk) => isAllNan(column, chunk)).map(valuesOf)
    left.set(at, isKept ? all - alone.reduce((sum, values) => sum + values, 0) : 0)
  }
  const filled = groups.map((group) => ({
    ...group,
    chunks: group.chunks.map((chunk, at): RelocatableChunk => {
      const [column, rest] = [columns[at]!, left.get(at)]
      if (rest === undefined) return chunk
      const most = column.element === undefined ? valuesOf(chunk) - 1 : valuesOf(chunk)
      const nanCount = isAllNan(column, chunk) ? valuesOf(chunk) : Math.min(rest, most)
      if (!isAllNan(column, chunk)) left.set(at, rest - nanCount)
      return { ...chunk, metrics: { ...chunk.metrics, nanCount } }
    }),
  }))
  return [...left.values()].every((rest) => rest === 0) ? filled : undefined
}

const valuesOf = ({ metrics }: RelocatableChunk): number => metrics.valueCount - metrics.nullCount
