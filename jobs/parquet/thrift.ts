/**
 * Thrift's compact protocol, as far as Parquet's footer needs it (thrift-compact-protocol.md). By hand, because the
 * generated classes and their runtime are a hundred files to load at every start.
 */
export type ThriftValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  /** Whole numbers, zigzag; an i64 is exact up to 2^53 and never negative here. */
  | { readonly kind: 'i16' | 'i32' | 'i64'; readonly value: number }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'struct'; readonly fields: readonly ThriftField[] }
  /** All items of the kind `of`. */
  | {
      readonly kind: 'list'
      readonly of: 'i32' | 'binary' | 'struct'
      readonly items: readonly ThriftValue[]
    }

/** A field's id and its value; undefined: the field is absent. Ids ascend, by 15 at most. */
export type ThriftField = readonly [id: number, value: ThriftValue | undefined]

export const bool = (value: boolean): ThriftValue => ({ kind: 'bool', value })
export const i16 = (value: number): ThriftValue => ({ kind: 'i16', value })
export const i32 = (value: number): ThriftValue => ({ kind: 'i32', value })
export const i64 = (value: number): ThriftValue => ({ kind: 'i64', value })
export const binary = (bytes: Uint8Array): ThriftValue => ({ kind: 'binary', bytes })
export const text = (value: string): ThriftValue => ({ kind: 'binary', bytes: Buffer.from(value) })
export const struct = (...fields: readonly ThriftField[]): ThriftValue => ({ kind: 'struct', fields })
export const list = (
  of: Extract<ThriftValue, { kind: 'list' }>['of'],
  items: readonly ThriftValue[],
): ThriftValue => ({ kind: 'list', of, items })

/** Types in the low half of a field's or a list's header; a boolean field's type is its value. */
const types = { i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const
const typeOf = (value: ThriftValue): number =>
  value.kind === 'bool' ? (value.value ? 1 : 2) : types[value.kind]

/** The value's bytes. */
export function encodeThrift(value: ThriftValue): Uint8Array {
  const bytes: number[] = []
  write(bytes, value)
  return Uint8Array.from(bytes)
}

function write(bytes: number[], value: ThriftValue): void {
  switch (value.kind) {
    case 'bool':
      break
    case 'i16':
    case 'i32':
    case 'i64':
      writeVarint(bytes, value.value < 0 ? -2 * value.value - 1 : 2 * value.value)
      break
    case 'binary':
      writeVarint(bytes, value.bytes.length)
      for (const byte of value.bytes) bytes.push(byte)
      break
    case 'list':
      if (value.items.length < 15) bytes.push((value.items.length << 4) | types[value.of])
      else {
        bytes.push(0xf0 | types[value.of])
        writeVarint(bytes, value.items.length)
      }
      for (const item of value.items) write(bytes, item)
      break
    case 'struct': {
      let before = 0
      for (const [id, field] of value.fields) {
        if (field === undefined) continue
        bytes.push(((id - before) << 4) | typeOf(field))
        write(bytes, field)
        before = id
      }
      bytes.push(0)
    }
  }
}

/** Unsigned LEB128 of up to 53 bits. */
function writeVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}
