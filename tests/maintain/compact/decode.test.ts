import { describe, expect, it } from '@jest/globals'
import type { ColumnType, NestedField } from '../../../jobs/iceberg/schema/types.ts'
import type { LakeEngine } from '../../../jobs/lake/engine.ts'
import type { GroupBytes } from '../../../jobs/lake/pages/group-bytes.ts'
import {
  parquetColumns,
  rowGroups,
  type RowGroupSettings,
} from '../../../jobs/maintain/compact/row-groups.ts'
import { loadCodec, type CodecName } from '../../../jobs/parquet/codec.ts'
import { defaultLimits, encodeRowGroup, type RelocatableRowGroup } from '../../../jobs/parquet/row-group.ts'
import { concatenate } from '../../../jobs/vector/gather.ts'
import type { ColumnVector } from '../../../jobs/vector/vector.ts'
import { bigEndian, booleans, bytes, doubles, floats, int32s, int64s } from '../../parquet/support.ts'

/** No row is DuckDB's. */
const noEngine = new Proxy({} as LakeEngine, {
  get: () => {
    throw new Error('DuckDB is asked')
  },
})
const [snappy, none] = [await loadCodec('snappy'), await loadCodec('none')]

interface Case {
  readonly types: readonly (string | ColumnType)[]
  readonly required?: boolean
  readonly codec?: CodecName
  readonly groupBytes?: number
}

function prepare({ types, required = false, codec = 'snappy', groupBytes = 2 ** 24 }: Case) {
  const fields = types.map(
    (type, at) => ({ id: at + 1, name: `c${at}`, required, type }) as unknown as NestedField,
  )
  const settings: RowGroupSettings = {
    ...parquetColumns(fields),
    ...{ codec, level: undefined, pages: { ...defaultLimits, pageIndex: true }, groupBytes },
  }
  const { columns } = settings
  const encode = (
    vectors: readonly ColumnVector[],
    pageBytes = defaultLimits.pageBytes,
  ): RelocatableRowGroup =>
    encodeRowGroup(columns, vectors, {
      ...{ ...settings.pages, pageBytes, pageRows: pageBytes > 2 ** 20 ? 1e9 : settings.pages.pageRows },
      codec: codec === 'snappy' ? snappy : none,
    })
  /** A row group as it lies in a file. */
  const stored = ({ rowCount, chunks }: RelocatableRowGroup, offset = 4711): GroupBytes => {
    let start = offset
    return {
      group: {
        rows: rowCount,
        chunks: chunks.map(({ dataPageOffset, compressedSize, uncompressedSize }) => {
          const end = start + compressedSize
          const chunk = { start, dataStart: start + dataPageOffset, end, uncompressedSize }
          start = end
          return { ...chunk, isCompressed: codec === 'snappy', isOptional: !required }
        }),
      },
      bytes: new Uint8Array(Buffer.concat(chunks.flatMap(({ blocks }) => blocks))),
      offset,
    }
  }
  return { settings, encode, stored }
}

/** What comes of row groups that are decoded one after the other, and how many rows of each. */
async function decoded(
  settings: RowGroupSettings,
  groups: readonly GroupBytes[],
): Promise<{ all: RelocatableRowGroup[]; taken: (number | undefined)[] }> {
  const [all, taken]: [RelocatableRowGroup[], (number | undefined)[]] = [[], []]
  const take = (one: RelocatableRowGroup): Promise<void> => {
    all.push(one)
    return Promise.resolve()
  }
  const reader = await rowGroups(settings, noEngine)
  for (const group of groups) taken.push((await reader.decode(group, take))?.rows)
  await reader.flush(take)
  return { all, taken }
}

/** All that is known of it, and its bytes. */
const told = ({ chunks, ...group }: RelocatableRowGroup): unknown => ({
  ...group,
  chunks: chunks.map(({ blocks, ...chunk }) => ({
    ...chunk,
    bytes: Buffer.concat(blocks).toString('base64'),
  })),
})

const rows = 45_000
type Cells<T> = readonly (T | null)[]
/** NULLs in the middle only, so that pages with and without them follow each other. */
function cells<T>(valueOf: (row: number) => T, from = 0): Cells<T> {
  const all: (T | null)[] = []
  for (let row = 0; row < rows; row++)
    all.push(row > 15_000 && row < 30_000 && row % 7 === 0 ? null : valueOf(from + row))
  return all
}
const wide = (row: number): bigint => BigInt(row) * 0x9e3779b97f4an

const cases: Readonly<Record<string, readonly [string, (from: number) => ColumnVector]>> = {
  boolean: ['boolean', (from) => booleans(cells((row) => row % 3 === 0, from))],
  'int, few': ['int', (from) => int32s(cells((row) => (row % 100) - 50, from))],
  'int, all different': ['int', (from) => int32s(cells((row) => Math.imul(row, 0x9e3779b1), from))],
  'long, few': ['long', (from) => int64s(cells((row) => BigInt(row % 1000) - 500n, from))],
  'long, all different': ['long', (from) => int64s(cells(wide, from))],
  float: ['float', (from) => floats(cells((row) => (row % 11 === 0 ? NaN : row / 3), from))],
  double: ['double', (from) => doubles(cells((row) => (row % 13 === 0 ? -0 : row / 7), from))],
  date: ['date', (from) => int32s(cells((row) => row % 400, from))],
  time: ['time', (from) => int64s(cells((row) => BigInt(row), from))],
  timestamptz: ['timestamptz', (from) => int64s(cells((row) => 1_700_000_000_000_000n + wide(row), from))],
  'decimal(4, 2)': ['decimal(4, 2)', (from) => int32s(cells((row) => row % 9999, from))],
  'decimal(18, 3)': ['decimal(18, 3)', (from) => int64s(cells((row) => -wide(row), from))],
  'uuid, few': [
    'uuid',
    (from) =>
      bigEndian(
        16,
        cells((row) => BigInt(row % 50) << 100n, from),
      ),
  ],
  uuid: ['uuid', (from) => bigEndian(16, cells(wide, from))],
  'string, few': ['string', (from) => bytes(cells((row) => `wörter ${row % 300}`, from))],
  'string, all different': ['string', (from) => bytes(cells((row) => `row ${row} of many`, from))],
  // More of a page than there is room for at once.
  'string, few and long': ['string', (from) => bytes(cells((row) => `${row % 9}`.repeat(150), from))],
  'string, empty and long': [
    'string',
    (from) => bytes(cells((row) => (row % 5 === 0 ? '' : 'x'.repeat(row % 200)), from)),
  ],
  binary: ['binary', (from) => bytes(cells((row) => Buffer.from([row, row >> 8, 0, 255]), from))],
}

describe('rows that are decoded from our own pages and encoded again', () => {
  it.each(Object.entries(cases))('are what they were, byte by byte: %s', async (_, [type, of]) => {
    const number = int32s(Array.from({ length: rows }, (__, row) => row))
    const [first, second] = [
      [of(0), number],
      [of(7 * rows), number],
    ]
    const both = [0, 1].map((at) => concatenate([first[at]!, second[at]!]))
    for (const codec of ['snappy', 'none'] as const) {
      const { settings, encode, stored } = prepare({ types: [type, 'int'], codec })
      const { all, taken } = await decoded(
        settings,
        [first, second].map((vectors) => stored(encode(vectors))),
      )
      expect(taken).toEqual([rows, rows])
      expect(all.map(told)).toEqual([encode(both)].map(told))
    }
  })

  it('without a NULL, and of nothing but NULLs', async () => {
    const { settings, encode, stored } = prepare({ types: ['string', 'long'] })
    const some = Array.from({ length: 10 }, (_, row) => row)
    const full = [bytes(some.map(String)), int64s(some.map(BigInt))]
    const empty = [bytes(some.map(() => null)), int64s(some.map(() => null))]
    const { all } = await decoded(
      settings,
      [full, empty, full].map((vectors) => stored(encode(vectors))),
    )
    const put = [0, 1].map((at) => concatenate([full[at]!, empty[at]!, full[at]!]))
    expect(all.map(told)).toEqual([encode(put)].map(told))
  })

  it('of required columns, which have no levels', async () => {
    const { settings, encode, stored } = prepare({ types: ['int'], required: true })
    const vectors = [int32s([1, 2, 3])]
    expect((await decoded(settings, [stored(encode(vectors))])).all.map(told)).toEqual(
      [encode(vectors)].map(told),
    )
  })

  it('fill row groups of the size that is asked for', async () => {
    const { settings, encode, stored } = prepare({ types: ['long'], groupBytes: 3 * 8 * rows })
    const vectors = [int64s(Array.from({ length: rows }, (_, row) => wide(row)))]
    const groups = Array.from({ length: 7 }, () => stored(encode(vectors)))
    const { all } = await decoded(settings, groups)
    expect(all.map(({ rowCount }) => rowCount)).toEqual([3 * rows, 3 * rows, rows])
  })
})

describe('a row group of which nothing is taken', () => {
  const types = ['string', 'int']
  const vectors = (from: number): ColumnVector[] => [
    bytes(cells((row) => `row ${row}`, from)),
    int32s(cells((row) => row, from)),
  ]
  const { settings, encode, stored } = prepare({ types })

  it('as its last column is damaged: what came before and comes after is whole', async () => {
    const whole = stored(encode(vectors(3 * rows)))
    const [text, number] = whole.group.chunks
    const wrong = { ...number!, uncompressedSize: number!.uncompressedSize + 1 }
    const damaged = { ...whole, group: { rows, chunks: [text!, wrong] } }
    const good = [vectors(0), vectors(rows)]
    const { all, taken } = await decoded(settings, [
      stored(encode(good[0]!)),
      damaged,
      stored(encode(good[1]!)),
    ])
    expect(taken).toEqual([rows, undefined, rows])
    const both = [0, 1].map((at) => concatenate([good[0]![at]!, good[1]![at]!]))
    expect(all.map(told)).toEqual([encode(both)].map(told))
  })

  it('nor of NULLs that came with it', async () => {
    const [plain, nulls] = [int32s([1, 2, 3]), int32s([null, null, null, null])]
    const one = prepare({ types: ['int', 'int'] })
    const damaged = one.stored(one.encode([nulls, int32s([5, 6, 7, 8])]))
    damaged.bytes.fill(0xff, damaged.bytes.length - 30)
    const good = one.encode([plain, plain])
    const partly = one.encode([int32s([1, null, 3]), plain])
    const { all, taken } = await decoded(one.settings, [
      one.stored(partly),
      damaged,
      one.stored(good),
      one.stored(good),
    ])
    expect(taken).toEqual([3, undefined, 3, 3])
    const first = concatenate([int32s([1, null, 3]), plain, plain])
    expect(all.map(told)).toEqual([one.encode([first, concatenate([plain, plain, plain])])].map(told))
  })

  it('with pages that are larger than there is room for', async () => {
    const huge = encode([bytes(cells((row) => `${'x'.repeat(100)}${row}`)), int32s(cells(() => 1))], 2 ** 30)
    expect((await decoded(settings, [stored(huge)])).taken).toEqual([undefined])
  })

  it('whose dictionary makes more of its texts than a row group may have', async () => {
    const small = prepare({ types, groupBytes: 2 ** 20 })
    // Of one page it would have room.
    const text = Array.from({ length: 30_000 }, () => 'x'.repeat(45))
    const one = small.encode([bytes(text), int32s(Array(30_000).fill(1))])
    expect(one.compressedSize).toBeLessThan(10_000)
    expect((await decoded(small.settings, [small.stored(one)])).taken).toEqual([undefined])
  })

  it('with more rows than a row group may have', async () => {
    const small = prepare({ types: ['int'], groupBytes: 4 * 10_000 })
    const one = small.encode([int32s(Array(10_001).fill(1))])
    expect((await decoded(small.settings, [small.stored(one)])).taken).toEqual([undefined])
  })

  it.each<[string, string, ColumnVector]>([
    ['wide decimals', 'decimal(30, 2)', bigEndian(13, [1n, 2n])],
    // Which could be two texts without a letter.
    ['fixed', 'fixed[4]', bigEndian(4, [0n, 0n])],
  ])('with %s', async (_, type, vector) => {
    const one = prepare({ types: [type] })
    expect((await decoded(one.settings, [one.stored(one.encode([vector]))])).taken).toEqual([undefined])
  })
})
