import { expect, it } from '@jest/globals'
import { encodeChunk } from '../../jobs/parquet/chunk.ts'
import { loadCodec } from '../../jobs/parquet/codec.ts'
import { defaultLimits } from '../../jobs/parquet/row-group.ts'
import { obtainMemory, reuseMemory } from '../../jobs/vector/vector-memory.ts'
import { column, int32s } from './support.ts'

const blockBytes = 4 << 20
const different = int32s(Array.from({ length: 100 }, (_, i) => i))
const alike = int32s(Array.from({ length: 100 }, (_, i) => i % 3))

it.each([
  ['with a dictionary', alike, 1],
  ['whose dictionary does not pay', different, 0],
])('a chunk %s gives the memory of its blocks back', async (_, vector, indexedPages) => {
  const own = obtainMemory(blockBytes)
  reuseMemory([own])
  const chunk = encodeChunk(column('v', { kind: 'int32' }), vector, {
    ...defaultLimits,
    codec: await loadCodec('none'),
  })
  expect(chunk.indexedPages).toBe(indexedPages)
  expect(obtainMemory(blockBytes)).toBe(own)
})
