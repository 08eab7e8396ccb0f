import { describe, expect, it } from '@jest/globals'
import { kernel } from '../../jobs/kernel/kernel.ts'
import { loadCodec } from '../../jobs/parquet/codec.ts'
import type { ParquetColumn } from '../../jobs/parquet/column.ts'
import { bytesDictionary } from '../../jobs/parquet/dictionary/bytes.ts'
import { mix } from '../../jobs/parquet/dictionary/dictionary.ts'
import { int32Dictionary, int64Dictionary } from '../../jobs/parquet/dictionary/words.ts'
import { defaultLimits, encodeRowGroup } from '../../jobs/parquet/row-group.ts'
import type { ColumnVector } from '../../jobs/vector/vector.ts'
import { expectSame } from '../support/expect-same.ts'
import { bigEndian, bytes, column, doubles, duckdb, int32s, int64s, parquetFile } from './support.ts'

const none = await loadCodec('none')

type Chunk = ReturnType<typeof encodeRowGroup>['chunks'][number]

const chunkOf = (type: ParquetColumn['type'], vector: ColumnVector, limits = {}): Chunk =>
  encodeRowGroup([column('v', type)], [vector], { ...defaultLimits, codec: none, ...limits }).chunks[0]!

const rows = 60_000
const numbers = (next: (i: number) => number): number[] => Array.from({ length: rows }, (_, i) => next(i))
/** Many distinct values in an order without pattern. */
const scattered =
  (distinct: number) =>
  (i: number): number =>
    Math.imul(i % distinct, 0x9e3779b1)

describe('dictionary encoding', () => {
  it.each<[string, ParquetColumn['type'], ColumnVector, unknown[]]>([
    [
      'a narrow span of int32',
      { kind: 'int32' },
      int32s(numbers((i) => (i * 7) % 1000)),
      numbers((i) => (i * 7) % 1000),
    ],
    ['scattered int32', { kind: 'int32' }, int32s(numbers(scattered(7000))), numbers(scattered(7000))],
    [
      'int64',
      { kind: 'int64' },
      int64s(numbers(scattered(9000)).map((value) => BigInt(value) * 0x1_0000_0001n)),
      numbers(scattered(9000)).map((value) => BigInt(value) * 0x1_0000_0001n),
    ],
    [
      'doubles with both zeros',
      { kind: 'double' },
      doubles(numbers((i) => [0, -0, NaN, 1.5][i % 4]!)),
      numbers((i) => [0, -0, NaN, 1.5][i % 4]!),
    ],
    [
      'texts',
      { kind: 'string' },
      bytes(numbers(scattered(5000)).map((value) => `/api/${value}`)),
      numbers(scattered(5000)).map((value) => `/api/${value}`),
    ],
    [
      'texts that differ in one byte at any place',
      { kind: 'string' },
      bytes(numbers((i) => i % 40).map((at) => `${'a'.repeat(at)}b${'a'.repeat(39 - at)}`)),
      numbers((i) => i % 40).map((at) => `${'a'.repeat(at)}b${'a'.repeat(39 - at)}`),
    ],
  ])('%s', async (_, type, vector, expected) => {
    const chunk = chunkOf(type, vector)
    expect(chunk.plainPages).toBe(0)
    expect(chunk.indexedPages).toBe(3)
    expect(chunk.dataPageOffset).toBeGreaterThan(0)
    const read = await duckdb(parquetFile([column('v', type)], [[vector]]), 'SELECT v FROM $file')
    expectSame(
      read.map(({ v }) => v),
      expected,
    )
  })

  it('keeps values apart whose hashes are equal', () => {
    // 200,000 values of 32-bit hashes collide about five times.
    const count = 200_000
    const data = new Uint8Array(count * 5)
    const view = new DataView(data.buffer)
    for (let i = 0; i < count; i++) view.setInt32(i * 5, mix(Math.imul(i + 1, 0x9e3779b1)))
    const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i * 5)
    kernel().arena.scope((take) => {
      const dictionary = bytesDictionary({ data, offsets }, false, data.length, take)
      expect(dictionary.index(0, count, new Int32Array(count))).toBe(count)
      expect(dictionary.count()).toBe(count)
    })
  })

  it('of two chunks may be built at the same time', () => {
    kernel().arena.scope((take) => {
      const one = int32Dictionary(Int32Array.of(7, 8, 7), 7, 8, 1000, take)
      const other = int64Dictionary(Int32Array.of(5, 0, 6, 0), 1000, take)
      const indices = new Int32Array(3)
      expect([one.index(0, 2, indices), other.index(0, 2, indices), one.index(2, 3, indices)]).toEqual([
        2, 2, 1,
      ])
      expect(indices[0]).toBe(0)
      expect([one.count(), other.count()]).toEqual([2, 2])
      expect([...one.body()]).toEqual([7, 0, 0, 0, 8, 0, 0, 0])
    })
  })

  it.each([-5n, 0n, 2n ** 32n - 3n, -(2n ** 32n) - 2n, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 2001n])(
    'looks numbers from %d on up in a slot for each as in a table',
    (least) => {
      const values = BigInt64Array.from({ length: 20_000 }, (_, i) => least + BigInt((i * 7919) % 2001))
      const lanes = new Int32Array(values.buffer)
      const extremes = new Int32Array(BigInt64Array.of(least, least + 2000n).buffer)
      kernel().arena.scope((take) => {
        const [bySpan, byHash] = [
          int64Dictionary(lanes, 8000, take, extremes),
          int64Dictionary(lanes, 8000, take),
        ]
        const indices = [new Int32Array(20_000), new Int32Array(20_000)] as const
        // Both stop at the one that is too many.
        expect(bySpan.index(0, 20_000, indices[0])).toBe(byHash.index(0, 20_000, indices[1]))
        expect(Buffer.from(indices[0].buffer).equals(Buffer.from(indices[1].buffer))).toBe(true)
        expect(Buffer.from(bySpan.body()).equals(Buffer.from(byHash.body()))).toBe(true)
      })
    },
  )

  it('of wide fixed values', async () => {
    const values = numbers((i) => i % 300).map((value) => BigInt(value - 150) * 10n ** 20n)
    const type = { kind: 'decimal', precision: 30, scale: 0 } as const
    const vector = bigEndian(13, values)
    expect(chunkOf(type, vector).plainPages).toBe(0)
    const read = await duckdb(
      parquetFile([column('v', type)], [[vector]]),
      'SELECT v::HUGEINT AS v FROM $file',
    )
    expectSame(
      read.map(({ v }) => v),
      values,
    )
  })

  it('gives way to PLAIN in mid-chunk when the dictionary is full, and says so', async () => {
    const values = numbers((i) => (i < 50_000 ? i % 2000 : i))
    const vector = bytes(values.map(String))
    const limits = { dictionaryBytes: 20_000 }
    const chunk = chunkOf({ kind: 'string' }, vector, limits)
    expect([chunk.indexedPages, chunk.plainPages]).toEqual([3, 1])
    expect(Buffer.from(chunk.metrics.max!.bytes).toString()).toBe('999')
    const file = parquetFile([column('v', { kind: 'string' })], [[vector]], limits)
    const read = await duckdb(file, 'SELECT v::INTEGER AS v FROM $file')
    expectSame(
      read.map(({ v }) => v),
      values,
    )
    const [metadata] = await duckdb(
      file,
      'SELECT encodings, dictionary_page_offset, data_page_offset FROM parquet_metadata($file)',
    )
    expect(metadata).toMatchObject({ encodings: 'PLAIN, RLE, RLE_DICTIONARY', dictionary_page_offset: 4n })
    expect(metadata!['data_page_offset']).toBeGreaterThan(4n)
  })

  it('is not used for values that hardly repeat', async () => {
    const vector = int64s(numbers(scattered(rows)).map(BigInt))
    const chunk = chunkOf({ kind: 'int64' }, vector)
    expect([chunk.indexedPages, chunk.plainPages, chunk.dataPageOffset]).toEqual([0, 3, 0])
    const [metadata] = await duckdb(
      parquetFile([column('v', { kind: 'int64' })], [[vector]]),
      'SELECT encodings, dictionary_page_offset, data_page_offset FROM parquet_metadata($file)',
    )
    expect(metadata).toEqual({ encodings: 'PLAIN, RLE', dictionary_page_offset: null, data_page_offset: 4n })
  })

  it('does not look into texts that no dictionary can hold', async () => {
    const huge = 'x'.repeat(3_000_000)
    const cells = ['a', huge, null, 'a', huge]
    const file = parquetFile([column('v', { kind: 'string' })], [[bytes(cells)]])
    const read = await duckdb(file, 'SELECT v FROM $file')
    expect(read.map(({ v }) => v)).toEqual(cells)
  })
})

describe('pages', () => {
  it('hold at most the rows and bytes asked for, but always one value', () => {
    const cells = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(96, '.'))
    expect(chunkOf({ kind: 'string' }, bytes(cells), { pageBytes: 1000 }).plainPages).toBe(10)
    expect(chunkOf({ kind: 'string' }, bytes(cells), { pageBytes: 1 }).plainPages).toBe(100)
    expect(chunkOf({ kind: 'string' }, bytes(cells), { pageRows: 30 }).plainPages).toBe(4)
  })

  it('of indices count four bytes for each', () => {
    const repeated = int32s(numbers((i) => i % 10))
    expect(chunkOf({ kind: 'int32' }, repeated, { pageBytes: 24_003 }).indexedPages).toBe(10)
    expect(chunkOf({ kind: 'int32' }, repeated, { pageRows: 6000 }).indexedPages).toBe(10)
  })
})
