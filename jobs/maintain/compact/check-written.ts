import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { readFooter } from '../../lake/footer/footer.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { FileIO } from '../../storage/file-io.ts'

/**
 * Opens a file again that was just written: its size, its rows, those of each row group, and of each column how many are NULL
 * must be what was given to it; of lists no footer tells. Errors: an `Error`, as this is a defect or a store that loses bytes; those of `readFooter`.
 */
export async function checkWritten(
  io: FileIO,
  columns: readonly ParquetColumn[],
  file: DataFile,
  rowGroups: readonly Pick<RelocatableRowGroup, 'rowCount' | 'chunks'>[],
): Promise<void> {
  const footer = await readFooter(io, file)
  const wrong = (what: string): Error => new Error(`${file.filePath} is not what was written: ${what}`)
  if (footer.rowGroups.length !== rowGroups.length)
    throw wrong(`${footer.rowGroups.length} row groups of ${rowGroups.length}`)
  for (const [group, { rowCount, chunks }] of rowGroups.entries()) {
    const found = footer.rowGroups[group]!
    if (found.rows !== rowCount) throw wrong(`row group ${group} has ${found.rows} rows of ${rowCount}`)
    for (const [at, { name, fieldId, element }] of columns.entries()) {
      if (element !== undefined) continue
      const nulls = found.columns.get(fieldId)?.nulls
      const { nullCount } = chunks[at]!.metrics
      if (nulls !== nullCount)
        throw wrong(`row group ${group} has ${nulls ?? 'unknown'} NULLs of ${nullCount} in column ${name}`)
    }
  }
}
