import { dataError } from '../../errors.ts'

/** Reading decoded Avro records by field name; what an older or foreign writer left out is undefined. */
export type AvroRecord = Readonly<Record<string, unknown>>

/** A long or int as a number. Errors: `JobError` data when it is missing or beyond 2^53. */
export function numberAt(record: AvroRecord, name: string): number {
  const number = optionalNumberAt(record, name)
  if (number === undefined) throw dataError(`field ${name} is missing in an Avro record`, { field: name })
  return number
}

export function optionalNumberAt(record: AvroRecord, name: string): number | undefined {
  const value = record[name] as number | bigint | null | undefined
  if (value === null || value === undefined) return undefined
  const number = Number(value)
  if (!Number.isSafeInteger(number))
    throw dataError(`field ${name} of an Avro record is out of range: ${value}`, {
      field: name,
    })
  return number
}

export function optionalLongAt(record: AvroRecord, name: string): bigint | undefined {
  const value = record[name]
  return value === null || value === undefined ? undefined : BigInt(value as number | bigint)
}

/** A field under `key` when it has a value, for objects whose optional fields are absent when unknown. */
export const present = <Key extends string, V>(
  key: Key,
  value: V | null | undefined,
): Partial<Record<Key, V>> =>
  value === null || value === undefined ? {} : ({ [key]: value } as Record<Key, V>)

type Pairs = readonly { readonly key: number; readonly value: unknown }[] | null | undefined

/** An int-keyed map (an array of pairs in Avro) with its values converted. */
export function mapAt<V>(
  record: AvroRecord,
  name: string,
  convert: (value: unknown) => V,
): ReadonlyMap<number, V> | undefined {
  const pairs = record[name] as Pairs
  return pairs ? new Map(pairs.map(({ key, value }) => [key, convert(value)])) : undefined
}

/** The inverse: pairs sorted by key, null for undefined. */
export const pairsOf = <V>(
  map: ReadonlyMap<number, V> | undefined,
  convert: (value: V) => unknown,
): readonly unknown[] | null =>
  map === undefined
    ? null
    : [...map].sort(([a], [b]) => a - b).map(([key, value]) => ({ key, value: convert(value) }))

/** avsc takes Buffers only. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
