import { describe, expect, it } from '@jest/globals'
import { fileMetrics, joinChunks, type ChunkMetrics } from '../../../jobs/iceberg/metrics/metrics.ts'
import { metricsModes } from '../../../jobs/iceberg/metrics/metrics-mode.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'
import { fixed } from '../partition/vectors.ts'

const schemaOf = (...types: string[]): Schema => ({
  type: 'struct',
  'schema-id': 0,
  fields: types.map((type, index) => ({ id: index + 1, name: `c${index + 1}`, required: false, type })),
})

const chunk = (
  min: Uint8Array | undefined,
  max = min,
  partial: Partial<ChunkMetrics> = {},
): ChunkMetrics => ({
  columnSize: 10,
  valueCount: 4,
  nullCount: 1,
  nanCount: undefined,
  min,
  max,
  ...partial,
})

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')

describe('metrics of a file', () => {
  it('sums counts and takes the extremes over row groups, compared as values', () => {
    const int = (value: number): Uint8Array => fixed(4, [value]).data
    const metrics = fileMetrics(
      schemaOf('int'),
      {},
      new Map([[1, [chunk(int(-5), int(3)), chunk(int(-300), int(2))]]]),
    )
    expect(metrics.columnSizes?.get(1)).toBe(20)
    expect(metrics.valueCounts?.get(1)).toBe(8)
    expect(metrics.nullValueCounts?.get(1)).toBe(2)
    expect(metrics.nanValueCounts).toBeUndefined()
    expect(hex(metrics.lowerBounds?.get(1))).toBe(hex(int(-300)))
    expect(hex(metrics.upperBounds?.get(1))).toBe(hex(int(3)))
  })

  it('writes decimals as minimal big-endian two’s complement, whatever Parquet stores', () => {
    const wide = Buffer.from('ffffffffffffffffffffffffffffff38', 'hex')
    const metrics = fileMetrics(
      schemaOf('decimal(9,2)', 'decimal(18,2)', 'decimal(38,2)'),
      {},
      new Map([
        [1, [chunk(fixed(4, [-1]).data, fixed(4, [1420]).data)]],
        [2, [chunk(fixed(8, [-129n]).data, fixed(8, [128n]).data)]],
        [3, [chunk(wide)]],
      ]),
    )
    expect([1, 2, 3].map((id) => hex(metrics.lowerBounds?.get(id)))).toEqual(['ff', 'ff7f', 'ff38'])
    expect([1, 2, 3].map((id) => hex(metrics.upperBounds?.get(id)))).toEqual(['058c', '0080', 'ff38'])
  })

  it('has no bound where a chunk’s is unknown, but ignores chunks of NULLs and NaNs only', () => {
    const text = Buffer.from('a')
    const unknown = fileMetrics(schemaOf('string'), {}, new Map([[1, [chunk(text), chunk(text, undefined)]]]))
    expect(hex(unknown.upperBounds?.get(1))).toBe('61')
    const missing = { ...chunk(text), max: undefined }
    const lost = fileMetrics(schemaOf('string'), {}, new Map([[1, [chunk(text), missing]]]))
    expect(lost.upperBounds).toBeUndefined()
    expect(hex(lost.lowerBounds?.get(1))).toBe('61')
    const empty = chunk(undefined, undefined, { valueCount: 4, nullCount: 1, nanCount: 3 })
    const one = chunk(fixed(8, [0n]).data, undefined, { nanCount: 0 })
    const nans = fileMetrics(schemaOf('double'), {}, new Map([[1, [one, empty]]]))
    expect(nans.nanValueCounts?.get(1)).toBe(3)
    expect(hex(nans.lowerBounds?.get(1))).toBe('0000000000000000')
  })

  it('are the same of chunks that were joined before, whatever they hold', () => {
    const int = (value: number): Uint8Array => fixed(4, [value]).data
    const chunks = [
      chunk(undefined, undefined, { nullCount: 4 }),
      chunk(int(5), int(9)),
      chunk(undefined, undefined, { nullCount: 4 }),
      chunk(int(-7), int(300)),
      chunk(undefined, undefined, { valueCount: 9 }),
    ]
    for (let count = 1; count <= chunks.length; count++) {
      const some = chunks.slice(0, count)
      const joined = some.reduce((a, b) => joinChunks({ kind: 'int' }, a, b))
      const of = (all: readonly ChunkMetrics[]): unknown =>
        fileMetrics(schemaOf('int'), {}, new Map([[1, all]]))
      expect(of([joined])).toEqual(of(some))
    }
    const nans = { valueCount: 2, nullCount: 0, nanCount: 2 }
    const joined = joinChunks(
      { kind: 'float' },
      chunk(undefined, undefined, nans),
      chunk(int(1), int(1), { nanCount: 1 }),
    )
    expect(joined).toMatchObject({ valueCount: 6, nullCount: 1, nanCount: 3, min: int(1) })
  })

  it('follows the modes of the table’s properties', () => {
    const text = Buffer.from('abcdef')
    const all = new Map([1, 2, 3, 4].map((id) => [id, [chunk(text)]]))
    const metrics = fileMetrics(
      schemaOf('string', 'string', 'string', 'string'),
      {
        'write.metadata.metrics.default': 'truncate(2)',
        'write.metadata.metrics.column.c2': 'none',
        'write.metadata.metrics.column.c3': 'counts',
        'write.metadata.metrics.column.c4': 'full',
      },
      all,
    )
    expect([...metrics.valueCounts!.keys()]).toEqual([1, 3, 4])
    expect([...metrics.upperBounds!].map(([id, bytes]) => [id, String(Buffer.from(bytes))])).toEqual([
      [1, 'ac'],
      [4, 'abcdef'],
    ])
  })

  it('keeps the first 100 columns by default', () => {
    const modes = metricsModes(schemaOf(...Array.from({ length: 101 }, () => 'int')), {})
    expect(modes.get(100)).toEqual({ kind: 'truncate', length: 16 })
    expect(modes.get(101)).toEqual({ kind: 'none' })
    expect(() => metricsModes(schemaOf('int'), { 'write.metadata.metrics.default': 'truncate(0)' })).toThrow(
      'truncate(0)',
    )
  })
})
