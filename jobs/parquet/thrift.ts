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
  /** A struct that was encoded before (`encodeThrift`). */
  | { readonly kind: 'encoded'; readonly bytes: Uint8Array }
  /** A list of them, a byte each. */
  | { readonly kind: 'bools'; readonly values: readonly boolean[] }
  /** All items of the kind `of`. */
  | {
      readonly kind: 'list'
      readonly of: 'i32' | 'i64' | 'binary' | 'struct'
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
export const bools = (values: readonly boolean[]): ThriftValue => ({ kind: 'bools', values })
export const encoded = (bytes: Uint8Array): ThriftValue => ({ kind: 'encoded', bytes })
export const struct = (...fields: readonly ThriftField[]): ThriftValue => ({ kind: 'struct', fields })
export const list = (
  of: Extract<ThriftValue, { kind: 'list' }>['of'],
  items: readonly ThriftValue[],
): ThriftValue => ({ kind: 'list', of, items })

/** Types in the low half of a field's or a list's header; a boolean field's type is its value. */
const types = { i16: 4, i32: 5, i64: 6, binary: 8, list: 9, bools: 9, struct: 12, encoded: 12 } as const
const booleans = { true: 1, false: 2 } as const
const typeOf = (value: ThriftValue): number =>
  value.kind === 'bool' ? (value.value ? booleans.true : booleans.false) : types[value.kind]

/** Bytes that grow; `used` of them are written. */
interface Target {
  bytes: Uint8Array<ArrayBuffer>
  used: number
}

/** The value's bytes, in memory that may be larger: what is kept is to be copied. */
export function encodeThrift(value: ThriftValue): Uint8Array<ArrayBuffer> {
  const target = { bytes: new Uint8Array(1024), used: 0 }
  write(target, value)
  return target.bytes.subarray(0, target.used)
}

function write(target: Target, value: ThriftValue): void {
  switch (value.kind) {
    case 'bool':
      break
    case 'i16':
    case 'i32':
    case 'i64':
      writeVarint(target, value.value < 0 ? -2 * value.value - 1 : 2 * value.value)
      break
    case 'binary':
      writeVarint(target, value.bytes.length)
      writeBytes(target, value.bytes)
      break
    case 'encoded':
      writeBytes(target, value.bytes)
      break
    case 'list':
      writeListHead(target, value.items.length, types[value.of])
      for (const item of value.items) write(target, item)
      break
    case 'bools':
      writeListHead(target, value.values.length, booleans.true)
      for (const flag of value.values) writeByte(target, flag ? booleans.true : booleans.false)
      break
    case 'struct': {
      let before = 0
      for (const [id, field] of value.fields) {
        if (field === undefined) continue
        writeByte(target, ((id - before) << 4) | typeOf(field))
        write(target, field)
        before = id
      }
      writeByte(target, 0)
    }
  }
}

function writeListHead(target: Target, length: number, type: number): void {
  if (length < 15) writeByte(target, (length << 4) | type)
  else {
    writeByte(target, 0xf0 | type)
    writeVarint(target, length)
  }
}

function writeByte(target: Target, byte: number): void {
  makeRoom(target, 1)
  target.bytes[target.used++] = byte
}

function writeBytes(target: Target, bytes: Uint8Array): void {
  makeRoom(target, bytes.length)
  target.bytes.set(bytes, target.used)
  target.used += bytes.length
}

function makeRoom(target: Target, more: number): void {
  const needed = target.used + more
  if (needed <= target.bytes.length) return
  const grown = new Uint8Array(Math.max(needed, 2 * target.bytes.length))
  grown.set(target.bytes.subarray(0, target.used))
  target.bytes = grown
}

/** Unsigned LEB128 of up to 53 bits. */
function writeVarint(target: Target, value: number): void {
  let rest = value
  while (rest > 127) {
    writeByte(target, (rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  writeByte(target, rest)
}
