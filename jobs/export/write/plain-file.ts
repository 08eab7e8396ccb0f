import type { Schema } from '../../iceberg/schema/schema.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { assembleFile } from '../../parquet/file.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { FileIO, Look } from '../../storage/file-io.ts'
import { createdBy } from '../../version.ts'
import { writeBlocks } from '../../storage/write-blocks.ts'

/** One Parquet file outside of any table, replaced as a whole when it is published (export-spec §2.5). */
export interface PlainFile {
  add(rowGroup: RelocatableRowGroup): Promise<void>
  /**
   * Makes the file appear over what `look` has seen, with `entries` in its key-value metadata; resolves to its size in
   * bytes.
   */
  publish(entries: Readonly<Record<string, string>>, look: Look): Promise<number>
  discard(): Promise<void>
}

export async function createPlainFile(
  io: FileIO,
  location: string,
  { columns, schema, signal }: { columns: readonly ParquetColumn[]; schema: Schema; signal: AbortSignal },
): Promise<PlainFile> {
  const output = await io.create(location, { signal })
  const keyValueMetadata = { 'iceberg.schema': JSON.stringify(schema) }
  const assembler = assembleFile({ columns, keyValueMetadata, createdBy })
  return {
    async add(rowGroup) {
      await writeBlocks(output, assembler.add(rowGroup))
    },
    async publish(entries, look) {
      await writeBlocks(output, assembler.finish(entries).bytes)
      return (await output.close(look)).size
    },
    discard: () => output.abort(),
  }
}
