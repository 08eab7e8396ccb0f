import { expect, it } from '@jest/globals'
import { kernel } from '../../jobs/kernel/kernel.ts'
import { loadCodec } from '../../jobs/parquet/codec.ts'
import type { LogicalColumnType } from '../../jobs/parquet/column.ts'
import { defaultLimits, encodeRowGroup } from '../../jobs/parquet/row-group.ts'
import { mostRows } from '../../jobs/lake/pages/chunks.ts'
import { groupRoom } from '../../jobs/verify/pages/hash-group.ts'
import type { ColumnVector } from '../../jobs/vector/vector.ts'
import { bytes, column, int32s, int64s } from '../parquet/support.ts'

const rows = 300_000
const numbers = (distinct: number): number[] => Array.from({ length: rows }, (_, i) => i % distinct)
/** As large as a table's properties may ask for. */
const hugePages = { ...defaultLimits, pageBytes: 2 ** 31 - 1, pageRows: 2 ** 31 - 1 }

it('has room for the pages and the hashes of the largest row group that is unpacked in it', () => {
  expect(() => kernel().arena.scope((take) => groupRoom(take, mostRows))).not.toThrow()
})

it('has room twice over for chunks of any type and pages of any size, again and again', async () => {
  const columns: [LogicalColumnType, ColumnVector][] = [
    [{ kind: 'int32' }, int32s(numbers(100_000))],
    [{ kind: 'int32' }, int32s(numbers(1000).map((n) => Math.imul(n, 0x9e3779b1)))],
    [{ kind: 'int64' }, int64s(numbers(100_000).map(BigInt))],
    [{ kind: 'string' }, bytes(numbers(50_000).map(String))],
  ]
  const codec = await loadCodec('none')
  // Half of the memory is taken for good.
  const { arena, bytes: memory } = kernel()
  arena.take(memory.length / 2)
  for (let table = 0; table < 3; table++) {
    for (const [type, vector] of columns) {
      const { chunks } = encodeRowGroup([column('v', type)], [vector], { ...hugePages, codec })
      expect(chunks[0]!.indexedPages).toBe(1)
    }
  }
})
