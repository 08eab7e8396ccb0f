import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { kernel } from '../../../jobs/kernel/kernel.ts'
import {
  attachBytes,
  createBatch,
  createKernelBatch,
  scanInKernel,
  scanRows,
  someWidth,
  type RowBatch,
} from '../../../jobs/postgres/copy/scan.ts'
import { expectSame } from '../../support/expect-same.ts'

const maxMessage = 10_000

/** A column of values of so many bytes each, or of any number. */
const width = fc.constantFrom(1, 4, 8, 16, someWidth)
const sizeOf = (own: number): fc.Arbitrary<number> =>
  own === someWidth ? fc.integer({ min: 0, max: 40 }) : fc.constant(own)
const table = fc.array(width, { minLength: 1, maxLength: 20 }).chain((widths) => {
  const row = fc.tuple(
    ...widths.map((own) =>
      fc.oneof({ weight: 30, arbitrary: sizeOf(own) }, { weight: 1, arbitrary: fc.constant(-1) }),
    ),
  )
  return fc.record({ widths: fc.constant(widths), rows: fc.array(row, { minLength: 1, maxLength: 40 }) })
})

/** CopyData messages of one row each; -1 is NULL. Where the lengths of values stand comes with them. */
function messages(rows: readonly (readonly number[])[]): {
  readonly bytes: Buffer
  readonly lengths: number[]
} {
  const parts: Buffer[] = []
  const lengths: number[] = []
  let at = 0
  for (const row of rows) {
    const size = row.reduce((sum, one) => sum + 4 + Math.max(one, 0), 6)
    const bytes = Buffer.alloc(1 + size, 0x5a)
    bytes.write('d', 0)
    bytes.writeInt32BE(size, 1)
    bytes.writeInt16BE(row.length, 5)
    let place = 7
    for (const one of row) {
      lengths.push(at + place)
      bytes.writeInt32BE(one, place)
      place += 4 + Math.max(one, 0)
    }
    parts.push(bytes)
    at += bytes.length
  }
  return { bytes: Buffer.concat(parts), lengths }
}

const found = ({ rows, columns, capacity, counts, nullCounts, positions, nulls }: RowBatch): unknown => ({
  rows,
  columns: Array.from({ length: columns }, (_, column) => {
    const from = column * capacity
    return [
      [...positions.subarray(from, from + counts[column]!)],
      [...nulls.subarray(from, from + nullCounts[column]!)],
    ]
  }),
})

/** What the kernel finds in the bytes, and what is found in the same rows without it. */
function both(widths: readonly number[], bytes: Buffer): [kernel: unknown, plain: unknown, end: number] {
  const quick = createKernelBatch(widths.length, maxMessage)!
  const { input } = quick.inKernel!
  kernel().bytes.set(bytes, input)
  const end = scanInKernel(quick, input, input + bytes.length, Int32Array.from(widths))
  const plain = createBatch(widths.length, maxMessage)
  plain.started = true
  attachBytes(plain, kernel().bytes)
  scanRows(plain, input, end)
  return [found(quick), found(plain), end - input]
}

it('the kernel finds the values that are found without it, NULLs or none', () => {
  fc.assert(
    fc.property(table, ({ widths, rows }) => {
      const { bytes } = messages(rows)
      const [quick, plain, end] = both(widths, bytes)
      expect(end).toBe(bytes.length)
      expectSame(quick, plain)
    }),
  )
})

it('it takes no row of which a length is false, and of those before what they are', () => {
  const wrong = fc.constantFrom(-2, -1, 0, 1, 3, 4, 8, 9, 16, 2 ** 16, someWidth, 2 ** 31 - 1, -(2 ** 31))
  fc.assert(
    fc.property(table, fc.nat(), wrong, ({ widths, rows }, number, length) => {
      const { bytes, lengths } = messages(rows)
      const at = lengths[number % lengths.length]!
      fc.pre(bytes.readInt32BE(at) !== length)
      bytes.writeInt32BE(length, at)
      const [quick, plain] = both(widths, bytes)
      expectSame(quick, plain)
    }),
    { numRuns: 500 },
  )
})
