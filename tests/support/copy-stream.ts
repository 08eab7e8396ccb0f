// Jest looks a global up slowly, each time.
import { Buffer } from 'node:buffer'
import { flat } from './vectors.ts'
import type { ColumnVector } from '../../jobs/vector/vector.ts'
import type { SourceColumn, SourceType, WireFormat } from '../../jobs/postgres/source/types.ts'

/** Values as PostgreSQL's send functions write them, written a second time and the slow way. */
export const send = {
  int2: (value: number): Buffer => bytes(2, (buffer) => buffer.writeInt16BE(value)),
  int4: (value: number): Buffer => bytes(4, (buffer) => buffer.writeInt32BE(value)),
  int8: (value: bigint): Buffer => bytes(8, (buffer) => buffer.writeBigInt64BE(value)),
  float8: (value: number): Buffer => bytes(8, (buffer) => buffer.writeDoubleBE(value)),
  /** `unscaled` × 10^-scale. */
  numeric: (unscaled: bigint, scale: number): Buffer => {
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
    const whole = digits.slice(0, digits.length - scale)
    const fraction = digits.slice(digits.length - scale)
    const groups = (
      whole.padStart(Math.ceil(whole.length / 4) * 4, '0') +
      fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0')
    ).match(/\d{4}/g)!
    let weight = Math.ceil(whole.length / 4) - 1
    const values = groups.map(Number)
    while (values[0] === 0) {
      values.shift()
      weight--
    }
    while (values.at(-1) === 0) values.pop()
    if (values.length === 0) weight = 0
    return numericWords(values.length, weight, unscaled < 0n ? 0x4000 : 0, scale, ...values)
  },
}

/** The raw 16-bit words of a numeric. */
export const numericWords = (...words: number[]): Buffer =>
  bytes(words.length * 2, (buffer) => {
    for (const [index, word] of words.entries()) buffer.writeUInt16BE(word & 0xffff, index * 2)
  })

export const bytes = (length: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(length)
  write(buffer)
  return buffer
}

const message = (code: string, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(code), send.int4(body.length + 4), body])

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), send.int4(0), send.int4(0)])

/** What a server sends for these rows: CopyOutResponse, one CopyData per row, the trailer, CopyDone and the tag. */
export function copyStream(rows: readonly (readonly (Buffer | null)[])[]): Buffer {
  const bodies: Buffer[] = rows.map((row) =>
    Buffer.concat([
      send.int2(row.length),
      ...row.flatMap((value) => (value === null ? [send.int4(-1)] : [send.int4(value.length), value])),
    ]),
  )
  bodies.push(send.int2(-1))
  bodies[0] = Buffer.concat([header, bodies[0]!])
  return Buffer.concat([
    message('H', Buffer.from([1, 0, 0])),
    ...bodies.map((body) => message('d', body)),
    ...closing(rows.length),
  ])
}

const closing = (rows: number): Buffer[] => [
  message('c', Buffer.alloc(0)),
  message('C', Buffer.from(`COPY ${rows}\0`)),
]

export const column = (wire: WireFormat, type: SourceType, name = `a_${wire}`): SourceColumn => ({
  name,
  attnum: 1,
  type,
  wire,
  required: false,
  expression: name,
  sourceType: wire,
})

/** The column's rows as readable values: fixed values as hex or by `read`, texts as strings, NULL as null. */
export function rowsOf<T = string>(
  given: ColumnVector,
  read: (value: Buffer) => T = (value) => value.toString('latin1') as T,
): (T | null)[] {
  const vector = flat(given)
  const values: T[] = []
  for (let i = 0; i < vector.count; i++) {
    const [from, to] =
      vector.kind === 'fixed'
        ? [i * vector.width, (i + 1) * vector.width]
        : [vector.offsets[i]!, vector.offsets[i + 1]!]
    values.push(read(Buffer.from(vector.data.subarray(from, to))))
  }
  let next = 0
  return Array.from({ length: vector.rows }, (_, row) =>
    vector.defined === undefined || vector.defined[row] === 1 ? values[next++]! : null,
  )
}
