import { isDeepStrictEqual } from 'node:util'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import type { ParquetColumn } from '../../../parquet/column.ts'
import { schemaElements } from '../../../parquet/schema.ts'
import { encodeThrift, list, struct } from '../../../parquet/thrift.ts'
import { isOwn } from '../../../version.ts'

/** A row group as the footer has it: parquet.thrift's `RowGroup`, by its field numbers. */
export interface StoredRowGroup {
  /** Its columns' chunks. */
  readonly field_1: readonly { readonly field_3?: StoredChunk }[]
  /** Its rows. */
  readonly field_3: bigint
}

/** parquet.thrift's `ColumnMetaData`. */
export interface StoredChunk {
  /** Its codec. */
  readonly field_4: number
  /** Its values, NULLs included. */
  readonly field_5: bigint
  /** Its bytes, without and with compression. */
  readonly field_6: bigint
  readonly field_7: bigint
  /** Where its first data page is, and its dictionary. */
  readonly field_9: bigint
  readonly field_11?: bigint
  /** `Statistics`: NULLs, maximum and minimum, and whether they are exact. */
  readonly field_12?: {
    readonly field_3?: bigint
    readonly field_5?: Uint8Array
    readonly field_6?: Uint8Array
    readonly field_7?: boolean
    readonly field_8?: boolean
  }
  /** `PageEncodingStats`: the pages' type and encoding, and how many. */
  readonly field_13?: readonly {
    readonly field_1: number
    readonly field_2: number
    readonly field_3: number
  }[]
}

interface StoredFile {
  readonly field_2?: unknown
  readonly field_4?: readonly StoredRowGroup[]
  readonly field_6?: Uint8Array
}

/**
 * The row groups of a file that we wrote ourselves, of exactly these columns: names, types, ids and what may be NULL. Undefined:
 * of another writer, or other columns. `metadata`: the footer's `FileMetaData`.
 */
export function storedRowGroups(
  metadata: Uint8Array,
  columns: readonly ParquetColumn[],
): readonly StoredRowGroup[] | undefined {
  const { field_2: schema, field_4: rowGroups, field_6: createdBy = new Uint8Array() } = parsed(metadata)
  if (!isOwn(Buffer.from(createdBy).toString('latin1'))) return undefined
  const ours = parsed(encodeThrift(struct([2, list('struct', schemaElements(columns))])))
  return isDeepStrictEqual(bytesAsText(schema), bytesAsText(ours.field_2)) ? rowGroups : undefined
}

function parsed(bytes: Uint8Array): StoredFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return deserializeTCompactProtocol({ view, offset: 0 })
}

/** Views of different memory are not equal. */
const bytesAsText = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) =>
      one instanceof Uint8Array ? Buffer.from(one).toString('hex') : one,
    ),
  )
