import { createHmac, type KeyObject } from 'node:crypto'
import type { ColumnBuilder } from './column-builder.ts'
import type { RowBatch } from './scan.ts'

/** Hex digits of SHA-256. */
const digits = 64
/** A value's length stands in the four bytes before it, as COPY sends it. */
const slot = 4 + digits

/**
 * Collects a column's values as their HMAC-SHA-256 (RFC 2104) in lower-case hex; NULL stays NULL. The values go no further than
 * here: `texts` takes the digests as if they were what COPY sent.
 *
 * @param column of the batch; `texts` is a builder of column 0
 */
export function hashedBuilder(column: number, key: KeyObject, texts: ColumnBuilder): ColumnBuilder {
  return {
    append(batch) {
      const { bytes, view, positions, capacity, counts, nulls, nullCounts } = batch
      const count = counts[column]!
      const first = column * capacity
      const digests = Buffer.alloc(count * slot)
      const places = new Int32Array(capacity)
      for (let i = 0; i < count; i++) {
        const from = positions[first + i]!
        const value = bytes.subarray(from, from + view.getInt32(from - 4))
        digests.writeInt32BE(digits, i * slot)
        digests.write(createHmac('sha256', key).update(value).digest('hex'), i * slot + 4, 'latin1')
        places[i] = i * slot + 4
      }
      const hashed: RowBatch = {
        ...batch,
        columns: 1,
        positions: places,
        counts: counts.subarray(column, column + 1),
        nulls: nulls.subarray(first, first + capacity),
        nullCounts: nullCounts.subarray(column, column + 1),
        bytes: digests,
        view: new DataView(digests.buffer, digests.byteOffset, digests.byteLength),
        inKernel: undefined,
      }
      return texts.append(hashed)
    },
    size: () => texts.size(),
    take: () => texts.take(),
  }
}
