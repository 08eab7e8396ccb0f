import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  createDecoder,
  RefusedValue,
  type DecoderOptions,
  type RowGroup,
} from '../../../jobs/postgres/copy/decoder.ts'
import type { SourceColumn } from '../../../jobs/postgres/source/types.ts'
import { column, copyStream, send } from '../../support/copy-stream.ts'
import { int, listsOf, rowsIn } from '../../support/vectors.ts'

const roomy = { checkUtf8: false, groupRows: 1e6, groupBytes: 1e8, maxRowBytes: 2 ** 28 }

/** Decodes the stream cut into chunks of `size` bytes. */
function decode(
  options: Pick<DecoderOptions, 'columns'> & Partial<DecoderOptions>,
  stream: Buffer,
  size: number,
): { readonly groups: RowGroup[] } {
  const decoder = createDecoder({ ...roomy, ...options })
  const feed = decoder.begin(() => undefined)
  for (let at = 0; at < stream.length; at += size) feed(stream.subarray(at, at + size))
  const groups: RowGroup[] = []
  for (let group = decoder.take(true); group !== undefined; group = decoder.take(true)) groups.push(group)
  return { groups }
}

const refusal = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    if (error instanceof RefusedValue) return error
    throw error
  }
}

describe('arrays', () => {
  const array = (elements: readonly (Buffer | null)[], lower = 1): Buffer =>
    Buffer.concat([
      ...[elements.length === 0 ? 0 : 1, 0, 25].map(send.int4),
      ...(elements.length === 0 ? [] : [send.int4(elements.length), send.int4(lower)]),
      ...elements.flatMap((one) => (one === null ? [send.int4(-1)] : [send.int4(one.length), one])),
    ])
  const listColumn = (wire: 'text' | 'int4' | 'date', kind: 'string' | 'int' | 'date'): SourceColumn => ({
    ...column('array', { kind: 'list', element: { kind } }),
    elementWire: wire,
  })
  const lists = fc.array(fc.option(fc.array(fc.option(fc.string({ maxLength: 9 })), { maxLength: 9 })), {
    minLength: 1,
    maxLength: 30,
  })

  it('become lists, in chunks of any size and row groups of any', () => {
    fc.assert(
      fc.property(
        lists,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (rows, chunk, groupRows) => {
          const stream = copyStream(
            rows.map((list) => [list && array(list.map((one) => (one === null ? null : Buffer.from(one))))]),
          )
          const { groups } = decode({ columns: [listColumn('text', 'string')], groupRows }, stream, chunk)
          const read = groups.flatMap(({ vectors }) => rowsIn(vectors[0]!))
          const hex = (one: string | null): string | null => one && Buffer.from(one).toString('hex')
          expect(read).toEqual(rows.map((list) => list && JSON.stringify(list.map(hex))))
        },
      ),
    )
  })

  it('of many elements, over what is handed on at once', () => {
    const numbers = Array.from({ length: 40_000 }, (_, i) => (i % 9 === 0 ? null : i))
    const stream = copyStream([
      [array([])],
      [array(numbers.map((n) => (n === null ? null : send.int4(n))))],
      [null],
    ])
    const { groups } = decode({ columns: [listColumn('int4', 'int')] }, stream, 8192)
    expect(rowsIn(groups[0]!.vectors[0]!)).toEqual(rowsIn(listsOf(int, [[], numbers, null])))
  })

  it.each([
    ['two dimensions', Buffer.concat([2, 0, 23, 1, 1, 1, 1, 4, 7].map(send.int4)), /more than one dimension/],
    ['another lower bound', array([send.int4(7)], 0), /does not begin at 1/],
  ])('of %s are refused, with their row', (_, wrong, message) => {
    const fine = array([null, send.int4(1)])
    const stream = copyStream([[fine], [null], [fine], [wrong], [fine]])
    expect(refusal(() => decode({ columns: [listColumn('int4', 'int')] }, stream, 1000))).toMatchObject({
      row: 3,
      message: expect.stringMatching(message) as unknown,
    })
  })

  it('whose elements cannot be in the lake are refused, with the array’s row', () => {
    const [day, infinity] = [send.int4(1), send.int4(0x7fffffff)]
    const rows = Array.from({ length: 20 }, (_, row) => [
      row % 4 === 0 ? null : array(row === 18 ? [null, day, null, infinity, day] : [day, null]),
    ])
    expect(
      refusal(() => decode({ columns: [listColumn('date', 'date')] }, copyStream(rows), 1e6)),
    ).toMatchObject({
      row: 18,
      message: expect.stringMatching(/infinity, or a year/) as unknown,
    })
  })
})
