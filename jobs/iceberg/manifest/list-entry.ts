import { damaged } from '../damaged.ts'
import type { FieldSummary } from '../partition/partition-value.ts'
import type { ManifestFile } from './data-file.ts'

/** Where a record is read; `at` moves on. */
interface Cursor {
  readonly bytes: Buffer
  at: number
}

/**
 * The entry of a manifest list that starts at `at`, in the layout of `manifestListSchema` and no other, and where it
 * ends. A commit reads all of them, thousands in a long history, and copies most: a general decoder takes five times
 * as long. Errors: `JobError` data when the bytes end too early.
 */
export function readListEntry(
  location: string,
  bytes: Buffer,
  at: number,
): { readonly manifest: ManifestFile; readonly end: number } {
  const cursor = { bytes, at }
  // In the order of the schema.
  const manifest: Writable<ManifestFile> = {
    manifestPath: text(cursor),
    manifestLength: number(cursor),
    partitionSpecId: number(cursor),
    content: number(cursor),
    sequenceNumber: number(cursor),
    minSequenceNumber: number(cursor),
    addedSnapshotId: long(cursor),
    addedFilesCount: number(cursor),
    existingFilesCount: number(cursor),
    deletedFilesCount: number(cursor),
    addedRowsCount: number(cursor),
    existingRowsCount: number(cursor),
    deletedRowsCount: number(cursor),
  }
  if (isThere(cursor)) manifest.partitions = summaries(cursor)
  if (isThere(cursor)) manifest.keyMetadata = binary(cursor)
  if (cursor.at > bytes.length) throw damaged(location)
  return { manifest, end: cursor.at }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** A zigzag varint of at most 53 bits. */
function number(cursor: Cursor): number {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = cursor.bytes[cursor.at++] ?? 0
    value += (byte & 127) * factor
    if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    factor *= 128
  }
}

const halves = new DataView(new ArrayBuffer(8))

/** A zigzag varint of 64 bits, by halves: every operation on a BigInt makes another one. */
function long(cursor: Cursor): bigint {
  let low = 0
  let high = 0
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = cursor.bytes[cursor.at++] ?? 0
    const bits = byte & 127
    if (shift < 32) low |= bits << shift
    if (shift > 25) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32)
    if (byte < 128) break
  }
  const sign = -(low & 1)
  halves.setInt32(0, (high >>> 1) ^ sign)
  halves.setInt32(4, ((low >>> 1) | (high << 31)) ^ sign)
  return halves.getBigInt64(0)
}

/** Goes behind the end, which is a damage: so is what no writer writes. */
const invalidate = (cursor: Cursor): void => {
  cursor.at = cursor.bytes.length + 1
}

/** Moves behind a length and as many bytes; where these start. */
function skipBytes(cursor: Cursor): number {
  const length = number(cursor)
  const start = cursor.at
  if (length < 0) invalidate(cursor)
  else cursor.at += length
  return start
}

function binary(cursor: Cursor): Buffer {
  const start = skipBytes(cursor)
  return cursor.bytes.subarray(start, cursor.at)
}

function text(cursor: Cursor): string {
  const start = skipBytes(cursor)
  return cursor.bytes.toString('utf8', start, cursor.at)
}

function flag(cursor: Cursor): boolean {
  const byte = cursor.bytes[cursor.at++] ?? 0
  if (byte > 1) invalidate(cursor)
  return byte === 1
}

/** A union with null begins with the branch's index. */
function isThere(cursor: Cursor): boolean {
  const branch = number(cursor)
  if (branch !== 0 && branch !== 1) invalidate(cursor)
  return branch === 1
}

/** An array: blocks of a count (negative: its size in bytes follows) and as many items, until a count of 0. */
function summaries(cursor: Cursor): FieldSummary[] {
  const all: FieldSummary[] = []
  for (;;) {
    let count = number(cursor)
    if (count === 0 || cursor.at > cursor.bytes.length) return all
    if (count < 0) {
      number(cursor)
      count = -count
    }
    for (let item = 0; item < count && cursor.at <= cursor.bytes.length; item++) all.push(summary(cursor))
  }
}

function summary(cursor: Cursor): FieldSummary {
  const one: Writable<FieldSummary> = { containsNull: flag(cursor) }
  if (isThere(cursor)) one.containsNan = flag(cursor)
  if (isThere(cursor)) one.lowerBound = binary(cursor)
  if (isThere(cursor)) one.upperBound = binary(cursor)
  return one
}
