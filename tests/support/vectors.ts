import fc from 'fast-check'
// Jest looks a global up slowly, each time.
import { Buffer } from 'node:buffer'
import type { PrimitiveType } from '../../jobs/iceberg/schema/types.ts'
import type { ColumnVector, FlatVector, ListVector } from '../../jobs/vector/vector.ts'

/** A column's type and how one of its values is laid out: the slow way, a buffer per value. */
export interface Kind<T> {
  readonly type: PrimitiveType
  /** Undefined: of any length. */
  readonly width: number | undefined
  readonly bytes: (value: T) => Buffer
}

const buffer = (width: number, write: (target: Buffer) => unknown): Buffer => {
  const target = Buffer.alloc(width)
  write(target)
  return target
}

const bigEndian = (value: bigint, width: number): Buffer => {
  const hex = BigInt.asUintN(width * 8, value)
    .toString(16)
    .padStart(width * 2, '0')
  return Buffer.from(hex, 'hex')
}

export const int: Kind<number> = {
  type: { kind: 'int' },
  width: 4,
  bytes: (value) => buffer(4, (target) => target.writeInt32LE(value)),
}
export const long: Kind<number> = {
  type: { kind: 'long' },
  width: 8,
  bytes: (value) => buffer(8, (target) => target.writeBigInt64LE(BigInt(value))),
}
export const float: Kind<number> = {
  type: { kind: 'float' },
  width: 4,
  bytes: (value) => buffer(4, (target) => target.writeFloatLE(value)),
}
export const double: Kind<number> = {
  type: { kind: 'double' },
  width: 8,
  bytes: (value) => buffer(8, (target) => target.writeDoubleLE(value)),
}
export const boolean: Kind<boolean> = {
  type: { kind: 'boolean' },
  width: 1,
  bytes: (value) => Buffer.from([Number(value)]),
}
export const string: Kind<string> = {
  type: { kind: 'string' },
  width: undefined,
  bytes: (value) => Buffer.from(value),
}
export function decimal(precision: number): Kind<bigint> {
  const type = { kind: 'decimal', precision, scale: 0 } as const
  if (precision <= 9)
    return { type, width: 4, bytes: (value) => buffer(4, (target) => target.writeInt32LE(Number(value))) }
  if (precision <= 18)
    return { type, width: 8, bytes: (value) => buffer(8, (target) => target.writeBigInt64LE(value)) }
  const width = precision <= 28 ? 12 : 16
  return { type, width, bytes: (value) => bigEndian(value, width) }
}

export function vectorOf<T>({ width, bytes }: Kind<T>, values: readonly (T | null)[]): FlatVector {
  const present = values.filter((value): value is T & {} => value !== null).map(bytes)
  const defined = values.includes(null)
    ? Uint8Array.from(values, (value) => Number(value !== null))
    : undefined
  const all = Buffer.concat(present)
  const data = new Uint8Array(Math.ceil(all.length / 8) * 8)
  data.set(all)
  const common = { data, count: present.length, rows: values.length, defined }
  if (width !== undefined) return { kind: 'fixed', width, ...common }
  const offsets = new Int32Array(present.length + 1)
  for (const [at, { length }] of present.entries()) offsets[at + 1] = offsets[at]! + length
  return { kind: 'bytes', offsets, ...common }
}

/** Lists of such values. */
export function listsOf<T>(kind: Kind<T>, lists: readonly (readonly (T | null)[] | null)[]): ListVector {
  const present = lists.filter((list) => list !== null)
  const offsets = new Int32Array(present.length + 1)
  for (const [at, list] of present.entries()) offsets[at + 1] = offsets[at]! + list.length
  return {
    kind: 'list',
    elements: vectorOf(kind, present.flat()),
    offsets,
    count: present.length,
    rows: lists.length,
    defined: lists.includes(null) ? Uint8Array.from(lists, (list) => Number(list !== null)) : undefined,
  }
}

/** A vector that is not of lists. */
export function flat(vector: ColumnVector | undefined): FlatVector {
  if (vector === undefined || vector.kind === 'list') throw new TypeError('not a vector of single values')
  return vector
}

/** What a vector says, row by row, as hex; of lists as JSON of that. */
export function rowsIn(vector: ColumnVector): (string | null)[] {
  let value = 0
  if (vector.kind === 'list') {
    const { offsets, defined, rows, elements } = vector
    const all = rowsIn(elements)
    return Array.from({ length: rows }, (_, row) =>
      defined?.[row] === 0 ? null : JSON.stringify(all.slice(offsets[value], offsets[++value])),
    )
  }
  return Array.from({ length: vector.rows }, (_, row) => {
    if (vector.defined?.[row] === 0) return null
    const [from, to] =
      vector.kind === 'fixed'
        ? [value * vector.width, (value + 1) * vector.width]
        : [vector.offsets[value]!, vector.offsets[value + 1]!]
    value++
    return Buffer.from(vector.data.subarray(from, to)).toString('hex')
  })
}

/** Rows of three columns: a number, a text, a wide decimal; NULLs in each. */
export type Row = readonly [number | null, string | null, bigint | null]
export const anyRow = fc.tuple(
  fc.option(fc.integer({ min: -5, max: 5 })),
  fc.option(fc.string({ maxLength: 90 })),
  fc.option(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })),
)
export const kinds = [int, string, decimal(38)] as const
export const types = kinds.map(({ type }) => type)
export const columnsOf = (rows: readonly Row[]): ColumnVector[] => [
  vectorOf(
    int,
    rows.map(([value]) => value),
  ),
  vectorOf(
    string,
    rows.map(([, value]) => value),
  ),
  vectorOf(
    decimal(38),
    rows.map(([, , value]) => value),
  ),
]
