import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  createDecoder,
  RefusedValue,
  type DecoderOptions,
  type RowGroup,
} from '../../../jobs/postgres/copy/decoder.ts'
import type { SourceColumn } from '../../../jobs/postgres/source/types.ts'
import { flat } from '../../support/vectors.ts'
import { expectSame } from '../../support/expect-same.ts'
import { bytes, column, copyStream, numericWords, rowsOf, send } from '../../support/copy-stream.ts'

const roomy = { checkUtf8: false, groupRows: 1e6, groupBytes: 1e8, maxRowBytes: 2 ** 28 }

/** Decodes the stream cut into chunks of `size` bytes. */
function decode(
  options: Pick<DecoderOptions, 'columns'> & Partial<DecoderOptions>,
  stream: Buffer,
  size = stream.length,
): { groups: RowGroup[]; forwarded: string; rows: number; ended: boolean } {
  const decoder = createDecoder({ ...roomy, ...options })
  const forwarded: Uint8Array[] = []
  const feed = decoder.begin((part) => forwarded.push(Uint8Array.from(part)))
  for (let at = 0; at < stream.length; at += size) feed(stream.subarray(at, at + size))
  const groups: RowGroup[] = []
  for (let group = decoder.take(true); group !== undefined; group = decoder.take(true)) groups.push(group)
  return { groups, forwarded: Buffer.concat(forwarded).toString('latin1'), ...decoder.progress() }
}

const refusal = (run: () => unknown): RefusedValue => {
  try {
    run()
  } catch (error) {
    if (error instanceof RefusedValue) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const timestamp = column('timestamp', { kind: 'timestamptz' })
const text = column('text', { kind: 'string' })
const pgEpoch = 946_684_800_000_000n
const firstMicros = -62_135_596_800_000_000n
const lastMicros = 253_402_300_799_999_999n

describe('the COPY decoder', () => {
  it('knows where the NULLs are, however late the first one comes', () => {
    const values = Array.from({ length: 5000 }, (_, row) => (row < 3000 || row % 3 === 0 ? row : null))
    const stream = copyStream(values.map((value) => [value === null ? null : send.int4(value)]))
    for (const size of [997, stream.length]) {
      const { groups } = decode({ columns: [column('int4', { kind: 'int' })] }, stream, size)
      const read = groups.flatMap(({ vectors }) => rowsOf(vectors[0]!, (value) => value.readInt32LE()))
      expectSame(read, values)
    }
  })

  it('gives back what was sent, wherever the chunks end', () => {
    const row = fc.tuple(
      fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      fc.option(fc.string({ unit: 'grapheme', maxLength: 90 })),
      fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
      fc.option(fc.bigInt({ min: firstMicros, max: lastMicros })),
      fc.option(fc.double()),
    )
    const columns = [
      column('int4', { kind: 'int' }),
      text,
      column('int8', { kind: 'long' }),
      timestamp,
      column('float8', { kind: 'double' }),
    ]
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 400 }),
        (rows, size, groupBytes) => {
          const stream = copyStream(
            rows.map(([int, string, long, micros, double]) => [
              int === null ? null : send.int4(int),
              string === null ? null : Buffer.from(string),
              long === null ? null : send.int8(long),
              micros === null ? null : send.int8(micros - pgEpoch),
              double === null ? null : send.float8(double),
            ]),
          )
          const result = decode({ columns, groupBytes }, stream, size)
          const of = <T>(index: number, read: (value: Buffer) => T): (T | null)[] =>
            result.groups.flatMap(({ vectors }) => rowsOf(vectors[index]!, read))
          expect(result).toMatchObject({ rows: rows.length, ended: true })
          expect(of(0, (value) => value.readInt32LE())).toEqual(rows.map(([int]) => int))
          expect(of(1, (value) => value.toString())).toEqual(rows.map(([, string]) => string))
          expect(of(2, (value) => value.readBigInt64LE())).toEqual(rows.map(([, , long]) => long))
          expect(of(3, (value) => value.readBigInt64LE())).toEqual(rows.map(([, , , micros]) => micros))
          expect(of(4, (value) => value.readDoubleLE())).toEqual(rows.map(([, , , , double]) => double))
        },
      ),
    )
  })

  it('hands every other message on, whole and in order', () => {
    const stream = copyStream([[Buffer.from('x')]])
    for (const size of [1, 2, 3, 7, 1000]) {
      const { forwarded } = decode({ columns: [text] }, stream, size)
      expect(forwarded).toBe('H\0\0\0\x07\x01\0\0c\0\0\0\x04C\0\0\0\x0bCOPY 1\0')
    }
  })

  it('counts rows without columns and reads an empty table', () => {
    expect(decode({ columns: [] }, copyStream([[], [], []])).rows).toBe(3)
    expect(decode({ columns: [text] }, copyStream([]))).toMatchObject({ rows: 0, ended: true, groups: [] })
  })

  it('reads every other wire format', () => {
    const uuid = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    const columns = [
      column('bool', { kind: 'boolean' }),
      column('int2', { kind: 'int' }),
      column('uuid', { kind: 'uuid' }),
      column('jsonb', { kind: 'string' }),
      column('date', { kind: 'date' }),
      column('time', { kind: 'time' }),
      column('float4', { kind: 'float' }),
    ]
    const half = bytes(4, (buffer) => buffer.writeFloatBE(0.5))
    const row = [
      Buffer.from([1]),
      send.int2(-32768),
      uuid,
      Buffer.from('\x01{"a": 1}'),
      send.int4(-10_957),
      send.int8(86_399_999_999n),
      half,
    ]
    const vectors = decode({ columns }, copyStream([row])).groups[0]!.vectors
    expect(vectors.map((vector) => rowsOf(vector, (value) => value.toString('hex'))[0])).toEqual([
      '01',
      '0080ffff',
      uuid.toString('hex'),
      Buffer.from('{"a": 1}').toString('hex'),
      '00000000',
      'ff5fd71d14000000',
      '0000003f',
    ])
    expect(vectors.map((vector) => flat(vector).data.byteOffset % 8)).toEqual(vectors.map(() => 0))
  })

  it.each([1, 7, 1000, 2032, 2033, 2049])(
    'makes row groups of exactly %d rows, and one of the rest',
    (groupRows) => {
      const numbers = Array.from({ length: 5001 }, (_, i) => i)
      const stream = copyStream(numbers.map((i) => [send.int4(i)]))
      for (const size of [1000, 1e6]) {
        const options = { columns: [column('int4', { kind: 'int' })], groupRows }
        const { groups } = decode(options, stream, size)
        const full = Math.floor(5001 / groupRows)
        expectSame(
          groups.map((group) => group.rows),
          [...Array<number>(full).fill(groupRows), 5001 % groupRows].filter((count) => count > 0),
        )
        const read = groups.flatMap(({ vectors }) => rowsOf(vectors[0]!, (value) => value.readInt32LE()))
        expectSame(read, numbers)
      }
    },
  )

  it('gives buffers away and starts anew', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [i % 3 === 0 ? null : send.int4(i)])
    const decoder = createDecoder({ ...roomy, columns: [column('int4', { kind: 'int' })], groupRows: 2049 })
    decoder.begin(() => undefined)(copyStream(rows))
    const groups = [decoder.take()!, decoder.take()!, decoder.take(true)!]
    expect(groups.map((group) => group.rows)).toEqual([2049, 2049, 902])
    const buffers = groups.map(({ vectors }) => flat(vectors[0]).data.buffer)
    structuredClone(buffers, { transfer: [buffers[0] as ArrayBuffer] })
    expect(rowsOf(groups[1]!.vectors[0]!, (value) => value.readInt32LE()).slice(0, 3)).toEqual([
      null,
      2050,
      2051,
    ])
  })
})

describe('what the lake cannot hold', () => {
  it.each<[bigint, bigint, boolean]>([
    [firstMicros, 0n, true],
    [firstMicros, -1n, false],
    [lastMicros, 0n, true],
    [lastMicros, 1n, false],
  ])('timestamp %d %d is taken: %s', (micros, more, taken) => {
    const stream = copyStream([[send.int8(micros - pgEpoch + more)]])
    const run = (): unknown => decode({ columns: [timestamp] }, stream)
    if (taken) expect(run).not.toThrow()
    else expect(run).toThrow(RefusedValue)
  })

  it.each([
    ['infinity', 2n ** 63n - 1n],
    ['-infinity', -(2n ** 63n)],
  ])('timestamp %s is refused', (_, value) => {
    expect(() => decode({ columns: [timestamp] }, copyStream([[send.int8(value)]]))).toThrow(RefusedValue)
  })

  it.each([
    ['0001-01-01', -730_119, true],
    ['0001-12-31 BC', -730_120, false],
    ['9999-12-31', 2_921_939, true],
    ['10000-01-01', 2_921_940, false],
    ['infinity', 2 ** 31 - 1, false],
    ['-infinity', -(2 ** 31), false],
  ])('date %s is %d, taken: %s', (_, value, taken) => {
    const columns = [column('date', { kind: 'date' })]
    for (const row of [0, 1, 2]) {
      const rows = Array.from({ length: 4 }, (_, at) => [send.int4(at === row ? value : -10_957)])
      const run = (): RowGroup[] => decode({ columns }, copyStream(rows)).groups
      if (!taken) expect(refusal(run).row).toBe(row)
      else {
        const read = rowsOf(run()[0]!.vectors[0]!, (day) => day.readInt32LE())
        expect(read).toEqual(rows.map((_, at) => (at === row ? value + 10_957 : 0)))
      }
    }
  })

  it('24:00:00 is refused', () => {
    const columns = [column('time', { kind: 'time' })]
    expect(() => decode({ columns }, copyStream([[send.int8(86_400_000_000n)]]))).toThrow('24:00:00')
  })

  it('names the row, NULLs before it counted', () => {
    const rows = [
      [null, null],
      [send.int8(0n), null],
      [null, null],
      [send.int8(2n ** 62n), null],
    ]
    const { row, column: named } = refusal(() => decode({ columns: [timestamp, text] }, copyStream(rows), 11))
    expect([row, named?.name]).toEqual([3, 'a_timestamp'])
  })

  it('text that is not UTF-8 is refused where the server does not vouch for it', () => {
    const good = [Buffer.from('ä'), Buffer.from(''), Buffer.from('€')]
    const split = [Buffer.from([0xc3]), Buffer.from([0xa4])]
    const run = (values: Buffer[], checkUtf8: boolean): unknown =>
      decode({ columns: [text], checkUtf8 }, copyStream(values.map((value) => [value])))
    expect(() => run(good, true)).not.toThrow()
    expect(() => run(split, false)).not.toThrow()
    expect(() => run([...good, ...split], true)).toThrow(RefusedValue)
    expect(refusal(() => run([...good, Buffer.from([0xff]), ...good], true)).row).toBe(3)
  })

  it.each([0, 1, 2])('row %d above the limit is refused before it is buffered', (row) => {
    const values = ['', '', ''].with(row, 'y'.repeat(100))
    const stream = copyStream(values.map((value) => [Buffer.from(value)]))
    for (const part of [stream, stream.subarray(0, stream.lastIndexOf('yyyy'))]) {
      for (const size of [1, 5, 1000]) {
        const run = (): unknown => decode({ columns: [text], maxRowBytes: 105 }, part, size)
        expect(refusal(run)).toMatchObject({
          row,
          column: undefined,
          message: 'a row of 106 bytes (limit 105)',
        })
      }
    }
    for (const size of [1, 5, 1000]) {
      expect(decode({ columns: [text], maxRowBytes: 106 }, stream, size).rows).toBe(3)
    }
  })
})

describe('numeric', () => {
  const decimal = (precision: number, scale: number): ReturnType<typeof column> =>
    column('numeric', { kind: 'decimal', precision, scale })
  const read = (value: Buffer): bigint =>
    BigInt.asIntN(
      value.length * 8,
      BigInt(`0x${(value.length > 8 ? value : value.reverse()).toString('hex')}`),
    )

  it('becomes the exact scaled integer, of every precision and scale', () => {
    const sample = fc
      .tuple(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 38 }))
      .map(([precision, scale]) => ({ precision, scale: Math.min(precision, scale) }))
      .chain(({ precision, scale }) => {
        const max = 10n ** BigInt(precision) - 1n
        const short = fc.bigInt({ min: -9999n, max: 9999n }).map((value) => value % (max + 1n))
        return fc.record({
          precision: fc.constant(precision),
          scale: fc.constant(scale),
          unscaled: fc.oneof(fc.bigInt({ min: -max, max }), short, fc.constantFrom(max, -max, 0n)),
        })
      })
    fc.assert(
      fc.property(sample, ({ precision, scale, unscaled }) => {
        const sent = send.numeric(unscaled, scale)
        const stream = copyStream([[sent], [null], [sent]])
        const vector = decode({ columns: [decimal(precision, scale)] }, stream).groups[0]!.vectors[0]!
        expectSame(rowsOf(vector, read), [unscaled, null, unscaled])
      }),
      { numRuns: 2000 },
    )
  })

  it('takes a smaller scale than the column has', () => {
    const stream = copyStream([[send.numeric(15n, 1)], [send.numeric(-70_000_000n, 0)]])
    const vector = decode({ columns: [decimal(20, 9)] }, stream).groups[0]!.vectors[0]!
    expect(rowsOf(vector, read)).toEqual([1_500_000_000n, -70_000_000_000_000_000n])
  })

  it.each([
    ['NaN', numericWords(0, 0, 0xc000, 0)],
    ['Infinity', numericWords(0, 0, 0xd000, 0)],
    ['-Infinity', numericWords(0, 0, 0xf000, 0)],
    ['a digit beyond the scale', send.numeric(12345n, 3)],
    ['a group beyond the scale', send.numeric(1n, 9)],
    ['a digit beyond the precision', send.numeric(100_000n, 2)],
    ['a far too large value', send.numeric(10n ** 60n, 0)],
  ])('refuses %s for decimal(5,2)', (_, value) => {
    const good = send.numeric(-1n, 2)
    for (const row of [0, 1, 3]) {
      const rows = [...Array<Buffer>(row).fill(good), value, good]
      const run = (): unknown => decode({ columns: [decimal(5, 2)] }, copyStream(rows.map((sent) => [sent])))
      expect(refusal(run).row).toBe(row)
    }
  })

  it('is the same in the kernel, which reads all rows but the first, whatever is sent', () => {
    const word = fc.oneof(
      fc.integer({ min: 0, max: 9999 }),
      fc.constantFrom(0, 1, 10, 100, 1000, 9990, 0xffff),
    )
    const sent = fc
      .record({
        groups: fc.array(word, { maxLength: 7 }),
        more: fc.constantFrom(0, 0, 0, 1, -1),
        weight: fc.integer({ min: -6, max: 6 }),
        sign: fc.constantFrom(0, 0, 0x4000, 0xc000, 0x8000),
      })
      .map(({ groups, more, weight, sign }) => numericWords(groups.length + more, weight, sign, 2, ...groups))
    const outcome = (columns: readonly SourceColumn[], rows: readonly Buffer[]): unknown => {
      try {
        const { groups } = decode({ columns }, copyStream(rows.map((value) => [value])))
        return rowsOf(groups[0]!.vectors[0]!, read).at(-1)
      } catch (error) {
        return (error as Error).message
      }
    }
    const precision = fc.integer({ min: 1, max: 18 })
    fc.assert(
      fc.property(sent, precision, fc.integer({ min: 0, max: 18 }), (value, digits, scale) => {
        const columns = [decimal(digits, Math.min(digits, scale))]
        const later = outcome(columns, [send.numeric(0n, 0), value])
        expectSame(later, outcome(columns, [value]))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('what is not the binary COPY of the plan', () => {
  const good = copyStream([[send.int4(1)]])
  const columns = [column('int4', { kind: 'int' })]
  it.each<[string, Buffer]>([
    ['another signature', Buffer.from(good.toString('latin1').replace('PGCOPY', 'pgcopy'), 'latin1')],
    ['another number of fields', copyStream([[send.int4(1), send.int4(2)]])],
    ['another width', copyStream([[send.int8(1n)]])],
    ['another number of fields later on', copyStream([[send.int4(1)], [send.int4(1), send.int4(2)]])],
    ['a value that ends behind its row', Buffer.from(good.map((byte, at) => (at === 36 ? byte + 1 : byte)))],
  ])('%s is an error', (_, stream) => {
    expect(() => decode({ columns }, stream)).toThrow('not the binary COPY')
  })

  it.each<[SourceColumn, Buffer, Buffer]>([
    [column('int4', { kind: 'int' }), send.int4(1), send.int8(1n)],
    [column('int8', { kind: 'long' }), send.int8(1n), send.int4(1)],
    [timestamp, send.int8(1n), Buffer.concat([send.int8(1n), send.int4(1)])],
    [column('date', { kind: 'date' }), send.int4(1), send.int8(1n)],
    [
      column('numeric', { kind: 'decimal', precision: 9, scale: 2 }),
      send.numeric(1n, 2),
      Buffer.concat([send.numeric(1n, 2), send.int2(0)]),
    ],
  ])('another width behind regular rows is an error: %j', (of, right, wrong) => {
    expect(decode({ columns: [of] }, copyStream([[right], [right], [right]])).rows).toBe(3)
    expect(() => decode({ columns: [of] }, copyStream([[right], [right], [wrong]]))).toThrow(
      'not the binary COPY',
    )
  })
})

it('a row of 64 MB in small chunks takes linear time', () => {
  const value = Buffer.alloc(64 * 1024 * 1024, 'é')
  const stream = copyStream([[value]])
  // Processor time: on a busy machine the wall clock says nothing.
  const started = process.cpuUsage()
  const { groups } = decode({ columns: [text] }, stream, 8192)
  const vector = flat(groups[0]!.vectors[0])
  expect(Buffer.compare(Buffer.from(vector.data.buffer, 0, value.length), value)).toBe(0)
  const { user, system } = process.cpuUsage(started)
  expect((user + system) / 1000).toBeLessThan(1500)
})
