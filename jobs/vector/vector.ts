/**
 * A column of one row group in memory: typed arrays, no object per row. The values of NULL rows are absent, so
 * `count` ≤ `rows`. This is the contract between what reads (jobs/postgres, the COPY decoder) and the encoder.
 */
export type ColumnVector = FlatVector | ListVector

/** A vector whose rows have one value each. */
export type FlatVector = FixedVector | BytesVector

/**
 * Values of one width, laid out as Parquet's PLAIN encoding wants them: booleans 1 byte (0 or 1); int32, float,
 * date and decimal ≤ 9 digits 4 bytes; int64, double, time, timestamp and decimal ≤ 18 digits 8 bytes, all
 * little-endian; uuid (16) and wider decimals (their least width) FIXED_LEN_BYTE_ARRAY, big-endian.
 */
export interface FixedVector {
  readonly kind: 'fixed'
  /** Bytes of one value. */
  readonly width: number
  /** At least `count * width` bytes; its `byteOffset` is a multiple of 8. */
  readonly data: Uint8Array
  /** Values present. */
  readonly count: number
  /** Rows, NULLs included. */
  readonly rows: number
  /** One byte a row: 1 where there is a value, 0 where the row is NULL; undefined when no row is NULL. */
  readonly defined: Uint8Array | undefined
}

/** Values of any length: value `i` is `data[offsets[i]] … data[offsets[i + 1]]` (end exclusive). */
export interface BytesVector {
  readonly kind: 'bytes'
  readonly data: Uint8Array
  /** At least `count + 1` positions in `data`, ascending. */
  readonly offsets: Int32Array
  readonly count: number
  readonly rows: number
  readonly defined: Uint8Array | undefined
}

/** Lists of values, of one dimension: list `i` is the rows `offsets[i]` … `offsets[i + 1]` (end exclusive) of `elements`. */
export interface ListVector {
  readonly kind: 'list'
  /** All lists' elements, one row each; a NULL element is a NULL row. */
  readonly elements: FlatVector
  /** At least `count + 1` rows of `elements`, ascending; the first is 0. */
  readonly offsets: Int32Array
  /** Lists present, empty ones included. */
  readonly count: number
  readonly rows: number
  readonly defined: Uint8Array | undefined
}
