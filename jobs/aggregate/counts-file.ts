import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { assembleFile } from '../parquet/file.ts'
import type { ParquetColumn } from '../parquet/column.ts'
import { defaultLimits, encodeRowGroup } from '../parquet/row-group.ts'
import type { ColumnVector } from '../vector/vector.ts'
import { obtainMemory, reuseVectors } from '../vector/vector-memory.ts'
import { localError } from '../storage/local/errors.ts'
import { createdBy } from '../version.ts'
import { loadCodec } from '../parquet/codec.ts'
import type { EmailCounts } from './counts.ts'
import type { LocalFile } from '../storage/scratch.ts'

/**
 * Counts as Parquet: one row per email, sorted by the email's bytes. What engines write and read has these columns,
 * too (engine/engine.ts).
 */
const columns: readonly ParquetColumn[] = [
  { name: 'email', fieldId: 1, required: true, type: { kind: 'string' } },
  { name: 'create_count', fieldId: 2, required: true, type: { kind: 'int64' } },
  { name: 'read_count', fieldId: 3, required: true, type: { kind: 'int64' } },
  { name: 'update_count', fieldId: 4, required: true, type: { kind: 'int64' } },
  { name: 'delete_count', fieldId: 5, required: true, type: { kind: 'int64' } },
]

/** Rows of a row group at most: their first emails are where an engine cuts a merge into ranges (engine/duckdb.ts). */
export const groupRows = 65_536

/** Rows `from` to `to` (exclusive). */
function sliceOf(counts: EmailCounts, from: number, to: number): EmailCounts {
  if (from === 0 && to === counts.rows) return counts
  const start = counts.offsets[from]!
  return {
    rows: to - from,
    emails: counts.emails.subarray(start, counts.offsets[to]),
    offsets: counts.offsets.subarray(from, to + 1).map((offset) => offset - start),
    create: counts.create.subarray(from, to),
    read: counts.read.subarray(from, to),
    update: counts.update.subarray(from, to),
    delete: counts.delete.subarray(from, to),
  }
}

/**
 * Writes counts, a batch as one row group or several, to the local file `path`, which belongs to this run alone: neither
 * atomic nor synced; returns what was written. The batches follow each other in the order of their emails; no email is in two of them.
 */
export async function writeCountsFile(
  path: string,
  batches: AsyncIterable<EmailCounts> | Iterable<EmailCounts>,
): Promise<LocalFile> {
  const hash = createHash('sha256')
  const file = assembleFile({ columns, keyValueMetadata: {}, createdBy })
  const codec = await loadCodec('snappy')
  const hashed = function* (blocks: readonly Uint8Array[]): Generator<Uint8Array> {
    for (const block of blocks) {
      hash.update(block)
      yield block
    }
  }
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for await (const counts of batches) {
      for (let row = 0; row < counts.rows; row += groupRows) {
        const group = sliceOf(counts, row, Math.min(row + groupRows, counts.rows))
        const vectors = countVectors(group)
        const encoded = encodeRowGroup(columns, vectors, { ...defaultLimits, codec })
        // The emails are the batch's.
        reuseVectors(vectors.slice(1))
        yield* hashed(file.add(encoded))
      }
    }
    yield* hashed(file.finish().bytes)
  }
  await writeFile(path, body()).catch((error: unknown) => {
    throw localError(error, 'write', path)
  })
  return { path, size: file.size(), sha256: hash.digest('hex') }
}

/** Counts from the bytes of a counts file that fits into memory many times over: each value passes as an object. */
export async function decodeCountsFile(bytes: Buffer): Promise<EmailCounts> {
  const { parquetReadObjects } = await import('hyparquet')
  const { buffer, byteOffset, byteLength } = bytes
  const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  // Its own decoder drops a U+FEFF at the start of a text, which is part of an email.
  const rows = await parquetReadObjects({ file, parsers: { stringFromBytes: (text) => text } })
  const emails = Buffer.concat(rows.map(({ email }) => email as Uint8Array))
  const offsets = new Uint32Array(rows.length + 1)
  const column = (name: string): Float64Array => Float64Array.from(rows, (row) => Number(row[name]))
  rows.forEach(({ email }, row) => {
    offsets[row + 1] = offsets[row]! + (email as Uint8Array).length
  })
  return {
    rows: rows.length,
    emails,
    offsets,
    create: column('create_count'),
    read: column('read_count'),
    update: column('update_count'),
    delete: column('delete_count'),
  }
}

/** Counts as columns: email, create, read, update, delete. The emails stay where they are; the others' memory is the caller's. */
export function countVectors({
  rows,
  emails,
  offsets,
  create,
  read,
  update,
  delete: deleted,
}: EmailCounts): ColumnVector[] {
  const common = { count: rows, rows, defined: undefined }
  const texts: ColumnVector = {
    kind: 'bytes',
    data: emails.subarray(0, offsets[rows]),
    // None is above 2^31: no array of bytes is longer.
    offsets: new Int32Array(offsets.buffer, offsets.byteOffset, rows + 1),
    ...common,
  }
  const numbers = [create, read, update, deleted].map((counts): ColumnVector => ({
    kind: 'fixed',
    width: 8,
    data: int64s(counts.subarray(0, rows)),
    ...common,
  }))
  return [texts, ...numbers]
}

/** Whole numbers from 0 to 2^53 as little-endian 64-bit integers. */
function int64s(values: Float64Array): Uint8Array {
  const memory = obtainMemory(8 * values.length)
  const halves = new Int32Array(memory)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    halves[2 * i] = value | 0
    halves[2 * i + 1] = 0
    // Seldom, and several times as slow.
    if (value >= 2 ** 31) {
      halves[2 * i] = value
      halves[2 * i + 1] = value / 2 ** 32
    }
  }
  return new Uint8Array(memory)
}
