import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  createPartitioner,
  keyOf,
  type PartitionRows,
  type PartitionSource,
} from '../../../jobs/export/read/partitioner.ts'
import { anyRow, columnsOf, rowsIn, vectorOf, string, type Row } from './vectors.ts'

const byNumber: PartitionSource = {
  field: { id: 1000, name: 'n', sourceId: 1, transform: { kind: 'identity' }, type: { kind: 'int' } },
  column: 0,
  type: { kind: 'int' },
}
const byText = (column: number, id: number): PartitionSource => ({
  field: {
    id,
    name: `t${id}`,
    sourceId: id - 999,
    transform: { kind: 'identity' },
    type: { kind: 'string' },
  },
  column,
  type: { kind: 'string' },
})

const rowTexts = (vectors: readonly Parameters<typeof rowsIn>[0][]): string[] => {
  const columns = vectors.map(rowsIn)
  return columns[0]!.map((_, row) => JSON.stringify(columns.map((column) => column[row])))
}

const rowsOfGroup = ({ vectors }: PartitionRows): number => vectors[0]!.rows

describe('the partitioner', () => {
  it('gives every row out once, in its partition, whatever the limits', () => {
    const batches = fc.array(fc.array(anyRow, { minLength: 1, maxLength: 12 }), { maxLength: 5 })
    fc.assert(
      fc.property(
        batches,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 30 }),
        (all, group, held, groupRows) => {
          const partitioner = createPartitioner([byNumber], { groupRows, groupBytes: group, heldBytes: held })
          const out = [
            ...all.flatMap((rows: readonly Row[]) => partitioner.add(columnsOf(rows))),
            ...partitioner.finish(),
          ]
          for (const { partition, vectors } of out) {
            const numbers = new Set(rowsIn(vectors[0]!))
            expect(numbers.size).toBe(1)
            expect(vectors[0]!.rows).toBeLessThanOrEqual(groupRows)
            const [hex] = numbers
            expect(hex == null ? null : Buffer.from(hex, 'hex').readInt32LE()).toBe(partition[0])
          }
          const expected = all.flatMap((rows) => rowTexts(columnsOf(rows)))
          expect(out.flatMap(({ vectors }) => rowTexts(vectors)).sort()).toEqual(expected.sort())
        },
      ),
    )
  })

  it('fills row groups to the last row', () => {
    const partitioner = createPartitioner([byNumber], { groupRows: 5, groupBytes: 1e6, heldBytes: 1e6 })
    const batch = (rows: number): number[] =>
      partitioner.add(columnsOf(Array.from({ length: rows }, (): Row => [1, 'a', 1n]))).map(rowsOfGroup)
    expect([batch(3), batch(4), batch(13), batch(5)]).toEqual([[], [5], [5, 5, 5], [5]])
    expect(partitioner.finish().map(rowsOfGroup)).toEqual([])
    expect(batch(1)).toEqual([])
    expect(partitioner.finish().map(rowsOfGroup)).toEqual([1])
  })

  it('gives out what it holds before it would be more than the bytes of a row group', () => {
    // Three rows of 25 bytes fit, four do not.
    const partitioner = createPartitioner([byNumber], { groupRows: 100, groupBytes: 80, heldBytes: 1e6 })
    const batch = (rows: number): number[] =>
      partitioner.add(columnsOf(Array.from({ length: rows }, (): Row => [1, 'a', 1n]))).map(rowsOfGroup)
    expect([batch(2), batch(1), batch(1), batch(5)]).toEqual([[], [], [3], [1, 5]])
    expect(partitioner.finish()).toEqual([])
  })

  it('never gives out more rows than asked for, also where bytes cut a batch before', () => {
    const partitioner = createPartitioner([byNumber], { groupRows: 5, groupBytes: 400, heldBytes: 1e6 })
    const batch = (rows: number, text: string): number[] =>
      partitioner.add(columnsOf(Array.from({ length: rows }, (): Row => [1, text, 1n]))).map(rowsOfGroup)
    expect(batch(3, 'wide'.repeat(25))).toEqual([])
    // Two more would fill the group, were they not too many bytes.
    expect(batch(9, 'a')).toEqual([3, 5])
    expect(partitioner.finish().map(rowsOfGroup)).toEqual([4])
  })

  it('passes batches through where there is no field', () => {
    const vectors = columnsOf([[1, 'a', 1n]])
    const partitioner = createPartitioner([], { groupRows: 1, groupBytes: 1, heldBytes: 1 })
    expect(partitioner.add(vectors)).toEqual([{ partition: [], vectors }])
    expect(partitioner.finish()).toEqual([])
  })

  it('never takes texts with line breaks for two others', () => {
    const partitioner = createPartitioner([byText(0, 1000), byText(1, 1001)], {
      groupRows: 1e6,
      groupBytes: 1e6,
      heldBytes: 1e6,
    })
    partitioner.add([vectorOf(string, ['a\nstring b', 'a']), vectorOf(string, ['c', 'b\nstring c'])])
    expect(partitioner.finish()).toHaveLength(2)
    expect(keyOf(['1'])).not.toBe(keyOf([1]))
    expect(keyOf([null])).not.toBe(keyOf(['null']))
  })
})
