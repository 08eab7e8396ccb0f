/** The kind of value a column has in the lake (design §5.1); `decimal` is exact, precision ≤ 38, 0 ≤ scale ≤ precision. */
export type SourceType =
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | {
      readonly kind:
        | 'boolean'
        | 'int'
        | 'long'
        | 'float'
        | 'double'
        | 'string'
        | 'binary'
        | 'uuid'
        | 'date'
        | 'time'
        | 'timestamp'
        | 'timestamptz'
    }

/** How the bytes of a value arrive in COPY BINARY: the output of the type's send function. */
export type WireFormat =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'text'
  | 'jsonb'
  | 'bytea'
  | 'uuid'
  | 'date'
  | 'time'
  | 'timestamp'

/** One column of a read: what is selected, how it arrives and what it becomes. Plain data, may cross threads. */
export interface SourceColumn {
  readonly name: string
  readonly attnum: number
  readonly type: SourceType
  readonly wire: WireFormat
  /** No row can be NULL: the NOT NULL constraint exists and is validated. Never true for views. */
  readonly required: boolean
  /** What stands in the SELECT list. */
  readonly expression: string
  /** PostgreSQL's name of the type, for messages and plans. */
  readonly sourceType: string
}
