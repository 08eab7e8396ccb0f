import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { loadCodec } from '../../../jobs/parquet/codec.ts'
import type { ParquetColumn } from '../../../jobs/parquet/column.ts'
import { defaultLimits, encodeRowGroup } from '../../../jobs/parquet/row-group.ts'
import type { ColumnVector } from '../../../jobs/vector/vector.ts'
import {
  bigEndian,
  booleans,
  bytes,
  column,
  doubles,
  duckdb,
  floats,
  int32s,
  int64s,
  parquetFile,
} from '../support.ts'

const none = await loadCodec('none')

type Chunk = ReturnType<typeof encodeRowGroup>['chunks'][number]

const chunkOf = (type: ParquetColumn['type'], vector: ColumnVector, limits = {}): Chunk =>
  encodeRowGroup([column('v', type)], [vector], { ...defaultLimits, codec: none, ...limits }).chunks[0]!

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')
const bounds = ({ statistics: { min, max } }: Chunk): unknown[] => [hex(min?.bytes), hex(max?.bytes)]

describe('bounds of a chunk', () => {
  it('of byte strings of all lengths are in the order of unsigned bytes', () => {
    // Few letters, so that many begin alike; each several times, so that a dictionary pays.
    const text = fc
      .array(fc.constantFrom(0, 1, 0x41, 0x80, 0xff), { maxLength: 11 })
      .map((b) => Buffer.from(b))
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (values) => {
        const sorted = values.toSorted((a, b) => a.compare(b))
        const expected = [sorted[0]!.toString('hex'), sorted.at(-1)!.toString('hex')]
        const vector = bytes([...values, ...values, ...values])
        expect(bounds(chunkOf({ kind: 'binary' }, vector))).toEqual(expected)
        expect(bounds(chunkOf({ kind: 'binary' }, vector, { dictionaryBytes: 0 }))).toEqual(expected)
      }),
    )
  })

  it.each<[string, ParquetColumn['type'], ColumnVector, string, string]>([
    ['booleans', { kind: 'boolean' }, booleans([true, false]), '00', '01'],
    ['signed int32', { kind: 'int32' }, int32s([3, -1, 2]), 'ffffffff', '03000000'],
    [
      'signed int64, low lane unsigned',
      { kind: 'int64' },
      int64s([2n ** 31n, 1n, 2n ** 32n - 1n]),
      '0100000000000000',
      'ffffffff00000000',
    ],
    [
      'negative int64',
      { kind: 'int64' },
      int64s([-1n, -(2n ** 40n), 5n]),
      '0000000000ffffff',
      '0500000000000000',
    ],
    [
      'big decimals',
      { kind: 'decimal', precision: 20, scale: 2 },
      bigEndian(9, [1n, -2n, 0n]),
      'fffffffffffffffffe',
      '000000000000000001',
    ],
    [
      'uuids, unsigned',
      { kind: 'uuid' },
      bigEndian(16, [2n ** 127n, 1n]),
      `${'0'.repeat(31)}1`,
      `8${'0'.repeat(31)}`,
    ],
    ['strings by unsigned bytes', { kind: 'string' }, bytes(['é', 'z', '']), '', 'c3a9'],
    ['-0.0 below +0.0, as floats', { kind: 'float' }, floats([0, NaN, 0]), '00000080', '00000000'],
    [
      '-0.0 below +0.0, as doubles',
      { kind: 'double' },
      doubles([-0, NaN]),
      '0000000000000080',
      '0000000000000000',
    ],
    [
      'infinities',
      { kind: 'double' },
      doubles([-Infinity, Infinity]),
      '000000000000f0ff',
      '000000000000f07f',
    ],
  ])('%s', (_, type, vector, min, max) => {
    expect(bounds(chunkOf(type, vector))).toEqual([min, max])
    // The same without the dictionary, whose values the bounds are otherwise taken from.
    expect(bounds(chunkOf(type, vector, { dictionaryBytes: 0 }))).toEqual([min, max])
  })

  it('are absent when there is nothing to compare', () => {
    expect(bounds(chunkOf({ kind: 'double' }, doubles([NaN, null, NaN])))).toEqual([undefined, undefined])
    expect(bounds(chunkOf({ kind: 'string' }, bytes([null, null])))).toEqual([undefined, undefined])
    expect(bounds(chunkOf({ kind: 'int32' }, int32s([null])))).toEqual([undefined, undefined])
  })

  it('of long texts are cut to 64 bytes in the footer, and kept for Iceberg', () => {
    const long = `${'a'.repeat(63)}é`
    const { statistics, metrics } = chunkOf({ kind: 'string' }, bytes([long]))
    expect(statistics.min).toEqual({ bytes: new Uint8Array(Buffer.from('a'.repeat(63))), exact: false })
    expect(statistics.max).toEqual({ bytes: new Uint8Array(Buffer.from(`${'a'.repeat(62)}b`)), exact: false })
    expect(metrics.max).toEqual({ bytes: new Uint8Array(Buffer.from(long)), exact: true })
  })

  it('do not keep the memory of the rows', () => {
    const { metrics } = chunkOf({ kind: 'string' }, bytes(['abc', 'd'.repeat(5000)]))
    expect(metrics.min!.bytes.buffer.byteLength).toBe(3)
    expect(metrics.max!.bytes.buffer.byteLength).toBe(1024)
    expect(metrics.max!.exact).toBe(false)
  })

  it('enclose every value of their row group, as DuckDB prunes by them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.option(fc.string({ unit: 'binary', maxLength: 90 })), { minLength: 1, maxLength: 20 }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (groups) => {
          const file = parquetFile(
            [column('v', { kind: 'string' })],
            groups.map((cells) => [bytes(cells)]),
          )
          for (const value of groups.flat().filter((cell) => cell !== null)) {
            const wanted = groups.flat().filter((cell) => cell === value).length
            const literal = value.includes('\0') ? undefined : `'${value.replaceAll("'", "''")}'`
            if (literal === undefined) continue
            const [row] = await duckdb(file, `SELECT count(*)::INTEGER AS n FROM $file WHERE v = ${literal}`)
            expect(row).toEqual({ n: wanted })
          }
        },
      ),
      { numRuns: 4 },
    )
  })
})

describe('counts', () => {
  it('of NULLs, NaNs and rows', () => {
    const { metrics, statistics } = chunkOf({ kind: 'double' }, doubles([1, NaN, null, null, 2]))
    expect(metrics).toMatchObject({ valueCount: 5, nullCount: 2, nanCount: 1 })
    expect(statistics.nullCount).toBe(2)
    expect(chunkOf({ kind: 'int32' }, int32s([1])).metrics.nanCount).toBeUndefined()
  })

  it('are what DuckDB reads from the footer', async () => {
    const file = parquetFile([column('v', { kind: 'int32' })], [[int32s([5, null, -7])]])
    const [row] = await duckdb(
      file,
      'SELECT stats_min_value, stats_max_value, stats_min, stats_max, stats_null_count, num_values, min_is_exact FROM parquet_metadata($file)',
    )
    expect(row).toMatchObject({
      stats_min_value: '-7',
      stats_max_value: '5',
      stats_null_count: 1n,
      num_values: 3n,
      min_is_exact: true,
    })
  })
})
