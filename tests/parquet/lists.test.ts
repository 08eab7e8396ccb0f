import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { loadCodec } from '../../jobs/parquet/codec.ts'
import type { ParquetColumn } from '../../jobs/parquet/column.ts'
import type { EncodeOptions } from '../../jobs/parquet/data-pages.ts'
import { defaultLimits, encodeRowGroup } from '../../jobs/parquet/row-group.ts'
import { expectSame } from '../support/expect-same.ts'
import { boolean, double, int, listsOf, string, type Kind } from '../support/vectors.ts'
import { duckdb, parquetFile } from './support.ts'

type Lists<T> = readonly (readonly (T | null)[] | null)[]

const listColumn = (type: ParquetColumn['type'], required = false): ParquetColumn => ({
  name: 'v',
  fieldId: 1,
  required,
  type,
  element: { fieldId: 7 },
})

const shapes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Lists<T>> => {
  const list = fc.array(fc.option(value, { freq: 4 }), { maxLength: 12 })
  return fc.array(fc.option(list, { freq: 5 }), { minLength: 1, maxLength: 60 })
}
const kinds: readonly {
  readonly kind: Kind<never>
  readonly type: ParquetColumn['type']
  readonly lists: fc.Arbitrary<Lists<unknown>>
}[] = [
  { kind: int, type: { kind: 'int32' }, lists: shapes(fc.integer({ min: -3, max: 3 })) },
  { kind: string, type: { kind: 'string' }, lists: shapes(fc.string({ maxLength: 30 })) },
  { kind: boolean, type: { kind: 'boolean' }, lists: shapes(fc.boolean()) },
  { kind: double, type: { kind: 'double' }, lists: shapes(fc.double({ noNaN: true })) },
]
/** Pages and dictionaries of any smallness. */
const limits = fc.record({
  pageBytes: fc.constantFrom(8, 64, 1 << 20),
  pageRows: fc.constantFrom(1, 3, 20_000),
  dictionaryBytes: fc.constantFrom(0, 16, 1 << 20),
})

const valuesIn = async (file: Uint8Array): Promise<unknown[]> =>
  (await duckdb(file, 'SELECT v FROM $file')).map(({ v }) => v)

describe('lists in Parquet', () => {
  it.each(kinds.map(({ type, ...rest }) => [type.kind, type, rest] as const))(
    'of %s come back as they were: NULL, empty, NULL elements, pages of any size',
    async (_, type, { kind, lists }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(lists, { minLength: 1, maxLength: 3 }), limits, async (groups, options) => {
          const file = parquetFile(
            [listColumn(type)],
            groups.map((group) => [listsOf(kind, group as never)]),
            options,
          )
          expectSame(await valuesIn(file), groups.flat())
        }),
        { numRuns: 60 },
      )
    },
  )

  it('of a required column have no level for NULL', async () => {
    const lists = [[], [null], [1, null, 2], [3]]
    const file = parquetFile([listColumn({ kind: 'int32' }, true)], [[listsOf(int, lists)]])
    expect(await valuesIn(file)).toEqual(lists)
    expect(() => parquetFile([listColumn({ kind: 'int32' }, true)], [[listsOf(int, [null])]])).toThrow(
      /NULLs/,
    )
  })

  it.each(['none', 'snappy', 'gzip', 'zstd'] as const)('are read with the codec %s', async (name) => {
    const lists = Array.from({ length: 5000 }, (_, i) =>
      i % 7 === 0 ? null : Array.from({ length: i % 5 }, (_, at) => (at === 3 ? null : `${(i * at) % 50}`)),
    )
    const codec = await loadCodec(name)
    const file = parquetFile([listColumn({ kind: 'string' })], [[listsOf(string, lists)]], { codec })
    expectSame(await valuesIn(file), lists)
  })

  it('are large, and outgrow the dictionary within a row', async () => {
    const lists = Array.from({ length: 40 }, (_, row) =>
      Array.from({ length: 20_000 }, (_, at) =>
        at % 1000 === 999 ? null : row < 10 ? at % 3 : row * 20_000 + at,
      ),
    )
    const file = parquetFile([listColumn({ kind: 'int32' })], [[listsOf(int, lists)]], {
      dictionaryBytes: 1 << 16,
    })
    const [sums] = await duckdb(
      file,
      'SELECT count(*)::int AS n, sum(list_sum(v))::double AS s, sum(len(v))::int AS l FROM $file',
    )
    const sum = lists.flat().reduce<number>((all, value) => all + (value ?? 0), 0)
    expect(sums).toEqual({ n: 40, s: sum, l: 800_000 })
    const { encoding_stats: stats = [] } = parquetMetadata(bufferOf(file)).row_groups[0]!.columns[0]!
      .meta_data!
    expect(stats.map(({ encoding }) => encoding)).toEqual(['PLAIN', 'RLE_DICTIONARY', 'PLAIN'])
  })

  it('pages hold whole rows, and the counts are of levels', () => {
    const lists: Lists<number> = [[1, 2, 3], null, [], [null, 4], [5, 6, 7, 8, 9, 10]]
    const options: EncodeOptions = { ...defaultLimits, codec: none, pageBytes: 12, dictionaryBytes: 0 }
    const { chunks } = encodeRowGroup([listColumn({ kind: 'int32' })], [listsOf(int, lists)], options)
    // 3 values, the rest of the first page's 12 bytes has no value; then one row of two, then one that is larger.
    expect(chunks[0]).toMatchObject({
      plainPages: 3,
      metrics: { valueCount: 13, nullCount: 3, min: undefined, max: undefined },
      statistics: { nullCount: 3, min: undefined, max: undefined },
    })
    expect(pageEntries(Buffer.concat(chunks[0]!.blocks))).toEqual([5, 2, 6])
  })

  it('have the three levels that LogicalTypes.md demands, with ids', () => {
    const file = parquetFile([listColumn({ kind: 'string' })], [[listsOf(string, [['a'], null])]])
    const { schema, row_groups: groups } = parquetMetadata(bufferOf(file))
    expect(schema.slice(1)).toMatchObject([
      {
        name: 'v',
        repetition_type: 'OPTIONAL',
        num_children: 1,
        converted_type: 'LIST',
        logical_type: { type: 'LIST' },
        field_id: 1,
      },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      {
        name: 'element',
        repetition_type: 'OPTIONAL',
        type: 'BYTE_ARRAY',
        converted_type: 'UTF8',
        field_id: 7,
      },
    ])
    expect(groups[0]!.columns[0]!.meta_data).toMatchObject({
      path_in_schema: ['v', 'list', 'element'],
      num_values: 2n,
      statistics: { null_count: 1n },
    })
  })
})

const none = await loadCodec('none')
const bufferOf = (file: Buffer): ArrayBuffer => new Uint8Array(file).buffer

/** The entries of each page of an uncompressed chunk of plain pages, by their headers (Thrift's compact protocol). */
function pageEntries(bytes: Buffer): number[] {
  const found: number[] = []
  let at = 0
  const varint = (): number => {
    let [value, shift, byte] = [0, 0, 0]
    do {
      byte = bytes[at++]!
      value |= (byte & 127) << shift
      shift += 7
    } while (byte > 127)
    return (value >>> 1) ^ -(value & 1)
  }
  const field = (): number => {
    at++
    return varint()
  }
  while (at < bytes.length) {
    field()
    const size = field()
    field()
    at++
    found.push(field())
    for (let rest = 0; rest < 3; rest++) field()
    at += 2 + size
  }
  return found
}
