import type { ColumnType, Value } from '../../iceberg/schema/types.ts'
import { loadCodec, type CodecName } from '../../parquet/codec.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { PageLimits } from '../../parquet/data-pages.ts'
import { encodeRowGroup, type RelocatableRowGroup } from '../../parquet/row-group.ts'
import { fingerprintOf, type Fingerprint } from '../../provenance/fingerprint.ts'
import type { PartitionRows } from '../../iceberg/partition/split-rows.ts'

/** What a table's rows become. Plain data, may cross threads. */
export interface EncodeSettings {
  readonly columns: readonly ParquetColumn[]
  /** The columns' Iceberg types, in the same order. */
  readonly types: readonly ColumnType[]
  readonly codec: CodecName
  /** Of the codec; undefined: its own. */
  readonly level: number | undefined
  readonly pages: PageLimits
}

/** A row group of one partition. Plain data, may cross threads. */
export interface EncodedRows {
  readonly partition: readonly (Value | null)[]
  readonly rowGroup: RelocatableRowGroup
  readonly fingerprint: Fingerprint
}

/** What encodes a table's rows in this thread; their vectors' memory is the caller's. */
export async function createEncoder({
  columns,
  types,
  codec: name,
  level,
  pages,
}: EncodeSettings): Promise<(rows: PartitionRows) => EncodedRows> {
  const codec = await loadCodec(name, level)
  return ({ partition, vectors }) => {
    const fingerprint = fingerprintOf(types, vectors)
    const rowGroup = encodeRowGroup(columns, vectors, { ...pages, codec })
    return { partition, rowGroup, fingerprint }
  }
}
