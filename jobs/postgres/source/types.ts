/** The kind of value a column has in the lake (design §5.1); `decimal` is exact, precision ≤ 38, 0 ≤ scale ≤ precision. */
export type SourceType = ScalarType | { readonly kind: 'list'; readonly element: ScalarType }

/** That of one value. */
export type ScalarType =
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
  | 'array'

/** One column of a read: what is selected, how it arrives and what it becomes. Plain data, may cross threads. */
export interface SourceColumn {
  readonly name: string
  readonly attnum: number
  readonly type: SourceType
  readonly wire: WireFormat
  /** Of an array, how its elements arrive. */
  readonly elementWire?: WireFormat
  /** No row can be NULL: the NOT NULL constraint exists and is validated. Never true for views. */
  readonly required: boolean
  /** What stands in the SELECT list. */
  readonly expression: string
  /** PostgreSQL's type that it is read as though no flag says so: the text of a type that the lake has not. */
  readonly readAs?: string
  /** Its values become HMACs of their text where they arrive. */
  readonly hashed?: true
  /** Of a cast that may change values; COPY sends it behind all values. */
  readonly check?: CastCheck
  /** PostgreSQL's name of the type, for messages and plans. */
  readonly sourceType: string
}

/** Shows what a cast does to a value. */
export interface CastCheck {
  /** Text of the value where it is changed, NULL where it is the same. */
  readonly expression: string
  /** `--lossy-cast`: changed values are taken and counted; otherwise they are refused. */
  readonly lossy: boolean
  /** The type that the column is cast to. */
  readonly to: string
}
