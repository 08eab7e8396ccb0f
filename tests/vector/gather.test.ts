import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { aligned, concatenate, gather, sizeOf, trimmed } from '../../jobs/vector/gather.ts'
import { sliceVector } from '../../jobs/vector/slice.ts'
import {
  anyRow,
  boolean,
  columnsOf,
  decimal,
  int,
  listsOf,
  long,
  rowsIn,
  string,
  vectorOf,
} from '../support/vectors.ts'

const someRows = fc.array(anyRow, { minLength: 1, maxLength: 20 })

describe('gather', () => {
  it('takes the rows that it is given, and nothing else', () => {
    fc.assert(
      fc.property(someRows, fc.infiniteStream(fc.boolean()), (rows, picks) => {
        const chosen = Int32Array.from(rows.keys()).filter(() => picks.next().value === true)
        for (const vector of columnsOf(rows)) {
          const all = rowsIn(vector)
          const taken = gather(vector, chosen)
          expect(rowsIn(taken)).toEqual([...chosen].map((row) => all[row]))
          expect(taken.count).toBe(rowsIn(taken).filter((value) => value !== null).length)
        }
      }),
    )
  })

  it('takes values of every width', () => {
    const vectors = [
      vectorOf(boolean, [true, null, false, true]),
      vectorOf(long, [1, null, -2, 2 ** 40]),
      vectorOf(decimal(20), [1n, null, -2n, 10n ** 19n]),
      vectorOf(string, ['x'.repeat(200), null, '', 'é']),
    ]
    for (const vector of vectors) {
      const all = rowsIn(vector)
      expect(rowsIn(gather(vector, Int32Array.of(0, 2, 3)))).toEqual([all[0], all[2], all[3]])
      expect(gather(vector, Int32Array.of(0, 3)).defined).toBeUndefined()
    }
  })
})

describe('concatenate', () => {
  it('puts pieces one behind the other, and gives back what gather took apart', () => {
    fc.assert(
      fc.property(fc.array(someRows, { minLength: 1, maxLength: 4 }), (pieces) => {
        const columns = pieces.map((rows) => columnsOf(rows))
        for (const index of [0, 1, 2]) {
          const vectors = columns.map((piece) => piece[index]!)
          const whole = concatenate(vectors)
          expect(rowsIn(whole)).toEqual(vectors.flatMap(rowsIn))
          expect(sizeOf(whole)).toBe(vectors.reduce((sum, vector) => sum + sizeOf(vector), 0))
        }
      }),
    )
  })
})

describe('lists', () => {
  const lists = fc.array(fc.option(fc.array(fc.option(fc.integer({ min: -5, max: 5 })), { maxLength: 6 })), {
    minLength: 1,
    maxLength: 20,
  })

  it('are taken apart, sliced and put together with their elements', () => {
    fc.assert(
      fc.property(lists, fc.infiniteStream(fc.boolean()), fc.nat(20), (rows, picks, at) => {
        const vector = listsOf(int, rows)
        const all = rowsIn(vector)
        const chosen = Int32Array.from(rows.keys()).filter(() => picks.next().value === true)
        expect(rowsIn(gather(vector, chosen))).toEqual([...chosen].map((row) => all[row]))
        const middle = Math.min(at, rows.length)
        const parts = [sliceVector(vector, 0, middle), sliceVector(vector, middle, rows.length)]
        expect(parts.flatMap(rowsIn)).toEqual(all)
        expect(
          rowsIn(
            concatenate(
              parts.map((part) =>
                gather(
                  part,
                  Int32Array.from({ length: part.rows }, (_, i) => i),
                ),
              ),
            ),
          ),
        ).toEqual(all)
        expect(rowsIn(aligned(trimmed(vector)))).toEqual(all)
      }),
    )
  })
})
