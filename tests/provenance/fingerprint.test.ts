import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { combined, fingerprintOf, type Fingerprint } from '../../jobs/provenance/fingerprint.ts'
import {
  anyRow,
  boolean,
  columnsOf,
  decimal,
  double,
  float,
  int,
  listsOf,
  long,
  string,
  types,
  vectorOf,
  type Kind,
  type Row,
} from '../support/vectors.ts'

/** What adds nothing. */
const noRows = (columns: number): Fingerprint => ({
  rows: 0,
  nulls: new Array<number>(columns).fill(0),
  sum: [0, 0, 0, 0],
})

/** As text: 32 hexadecimal digits. */
const sumText = ({ sum }: Fingerprint): string =>
  sum.map((lane) => lane.toString(16).padStart(8, '0')).join('')

const ofRows = (rows: readonly Row[]): ReturnType<typeof fingerprintOf> =>
  fingerprintOf(types, columnsOf(rows))
const of = <T>(kind: Kind<T>, values: readonly (T | null)[]): string =>
  sumText(fingerprintOf([kind.type], [vectorOf(kind, values)]))

describe('a fingerprint', () => {
  it('does not depend on the order of the rows', () => {
    const shuffled = fc
      .array(anyRow, { maxLength: 20 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })))
    fc.assert(
      fc.property(shuffled, ([rows, others]) => {
        expect(ofRows(others)).toEqual(ofRows(rows))
      }),
    )
  })

  it('of parts, combined, is that of the whole', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 20 }), fc.nat(20), (rows, at) => {
        const parts = combined(ofRows(rows.slice(0, at)), ofRows(rows.slice(at)))
        expect(parts).toEqual(ofRows(rows))
        expect(combined(parts, noRows(3))).toEqual(parts)
      }),
    )
  })

  it('tells rows from any others', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 5 }), fc.array(anyRow, { maxLength: 5 }), (a, b) => {
        const key = (rows: readonly Row[]): string[] =>
          rows
            .map((row) => JSON.stringify(row.map((value) => (value === null ? null : String(value)))))
            .sort()
        const same = JSON.stringify(key(a)) === JSON.stringify(key(b))
        expect(sumText(ofRows(a)) === sumText(ofRows(b))).toBe(same)
      }),
    )
  })

  it('is what it was when tables were written with it', () => {
    expect(
      sumText(
        ofRows([
          [1, 'a text of more than eight bytes', 1n],
          [null, 'short', -5n],
          [-7, '', null],
          [2 ** 31 - 1, null, 2n ** 40n],
        ]),
      ),
    ).toBe('3827b6e5d536fe0589e9f3d5f787c0b6')
  })

  it('of long texts is the same whether they are hashed together or one by one', () => {
    const texts = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? null : `${i}`.repeat(3000 + i)))
    const together = fingerprintOf([string.type], [vectorOf(string, texts)])
    const single = texts.map((text) => fingerprintOf([string.type], [vectorOf(string, [text])]))
    expect(single.reduce(combined)).toEqual(together)
  })

  it('counts rows and NULLs', () => {
    expect(
      ofRows([
        [1, null, null],
        [null, '', null],
      ]),
    ).toMatchObject({ rows: 2, nulls: [1, 1, 2] })
  })

  it('tells a row twice from none, and values swapped between rows', () => {
    expect(
      ofRows([
        [1, 'a', 1n],
        [1, 'a', 1n],
      ]),
    ).not.toEqual(ofRows([]))
    expect(of(int, [7, 7])).not.toBe(of(int, []))
    expect(
      ofRows([
        [1, 'a', 0n],
        [2, 'b', 0n],
      ]),
    ).not.toEqual(
      ofRows([
        [1, 'b', 0n],
        [2, 'a', 0n],
      ]),
    )
  })

  it('tells the values of a column that look like nothing apart', () => {
    const sets = [
      [null, '', '\0', '\0\0\0\0', ' '].map((value) => of(string, [value])),
      [null, 0, -1].map((value) => of(int, [value])),
      [null, 0, -0, NaN].map((value) => of(double, [value])),
      [null, true, false].map((value) => of(boolean, [value])),
    ]
    for (const sums of sets) expect(new Set(sums).size).toBe(sums.length)
  })

  it('stays when a column is widened', () => {
    const ints = fc.array(fc.option(fc.integer()), { maxLength: 9 })
    fc.assert(
      fc.property(ints, fc.array(fc.option(fc.float({ noNaN: true })), { maxLength: 9 }), (whole, broken) => {
        expect(of(long, whole)).toBe(of(int, whole))
        expect(of(double, broken)).toBe(of(float, broken))
      }),
    )
    const digits = fc.array(fc.option(fc.bigInt({ min: -(10n ** 9n) + 1n, max: 10n ** 9n - 1n })), {
      maxLength: 9,
    })
    fc.assert(
      fc.property(digits, (values) => {
        const sums = [9, 18, 28, 38].map((precision) => of(decimal(precision), values))
        expect(new Set(sums).size).toBe(1)
      }),
    )
    const wide = fc.array(fc.bigInt({ min: -(10n ** 28n) + 1n, max: 10n ** 28n - 1n }), { maxLength: 9 })
    fc.assert(
      fc.property(wide, (values) => {
        expect(of(decimal(38), values)).toBe(of(decimal(28), values))
      }),
    )
  })

  it('takes booleans as they are', () => {
    expect(of(boolean, [true, false, null])).toBe(of(boolean, [null, true, false]))
    expect(of(boolean, [true])).not.toBe(of(boolean, [false]))
  })
})

describe('a fingerprint of lists', () => {
  type Lists = readonly (readonly (number | null)[] | null)[]
  const element = fc.option(fc.integer({ min: -2, max: 2 }))
  const lists = fc.array(fc.option(fc.array(element, { maxLength: 4 })), { maxLength: 6 })
  const ofLists = <T>(kind: Kind<T>, values: readonly (readonly (T | null)[] | null)[]): Fingerprint =>
    fingerprintOf([{ kind: 'list', element: kind.type }], [listsOf(kind, values)])

  it('tells them from any others, whatever the order of the rows', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const key = (rows: Lists): string => JSON.stringify(rows.map((row) => JSON.stringify(row)).sort())
        expect(sumText(ofLists(int, a)) === sumText(ofLists(int, b))).toBe(key(a) === key(b))
      }),
    )
  })

  it('tells NULL, empty and lists of what looks like nothing apart', () => {
    const some: Lists = [null, [], [null], [0], [null, null], [0, null], [null, 0], [0, 0]]
    expect(new Set(some.map((list) => sumText(ofLists(int, [list])))).size).toBe(some.length)
  })

  it('counts NULL lists, not elements, and is that of the parts together, of any length', () => {
    const many = Array.from({ length: 9000 }, (_, i) =>
      i % 5 === 0
        ? null
        : Array.from({ length: i === 4001 ? 30_000 : i % 7 }, (_, at) => (at % 3 === 0 ? null : i * at)),
    )
    const whole = ofLists(int, many)
    expect([whole.rows, whole.nulls]).toEqual([9000, [1800]])
    const parts = [many.slice(0, 777), many.slice(777, 4050), many.slice(4050)]
    expect(parts.map((part) => ofLists(int, part)).reduce(combined)).toEqual(whole)
  })

  it('stays when the elements are widened, and is what it was when tables were written with it', () => {
    const some: Lists = [[1, null, -7], [], null, [2 ** 31 - 1]]
    expect(ofLists(long, some)).toEqual(ofLists(int, some))
    expect(sumText(ofLists(int, some))).toBe('f6ea39715a886be27739ae2174df45f5')
  })
})
