import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { tmpdir } from 'node:os'
import { createPartitioner, keyOf, type Partitioner } from '../../../jobs/export/read/partitioner.ts'
import type { PartitionRows, PartitionSource } from '../../../jobs/iceberg/partition/split-rows.ts'
import { openSpool } from '../../../jobs/storage/spool.ts'
import { anyRow, columnsOf, rowsIn, vectorOf, string, type Row } from '../../support/vectors.ts'

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

const partitionerOf = (
  sources: readonly PartitionSource[],
  limits: Parameters<typeof createPartitioner>[1],
  mayWait = false,
): Partitioner =>
  createPartitioner(sources, limits, () => {
    if (!mayWait) throw new Error('nothing has to wait')
    return openSpool(tmpdir())
  })

async function rest(partitioner: Partitioner): Promise<PartitionRows[]> {
  const all: PartitionRows[] = []
  for await (const part of partitioner.finish()) all.push(part)
  await partitioner.close()
  return all
}

describe('the partitioner', () => {
  it('gives every row out once, in its partition, whatever the limits', async () => {
    const batches = fc.array(fc.array(anyRow, { minLength: 1, maxLength: 12 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 30 }),
        async (all, group, held, groupRows) => {
          const partitioner = partitionerOf(
            [byNumber],
            { groupRows, groupBytes: group, heldBytes: held },
            true,
          )
          const out: PartitionRows[] = []
          for (const rows of all) out.push(...(await partitioner.add(columnsOf(rows))))
          out.push(...(await rest(partitioner)))
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

  it('fills row groups to the last row', async () => {
    const partitioner = partitionerOf([byNumber], { groupRows: 5, groupBytes: 1e6, heldBytes: 1e6 })
    const batch = async (rows: number): Promise<number[]> =>
      (await partitioner.add(columnsOf(Array.from({ length: rows }, (): Row => [1, 'a', 1n])))).map(
        rowsOfGroup,
      )
    expect([await batch(3), await batch(4), await batch(13), await batch(5)]).toEqual([
      [],
      [5],
      [5, 5, 5],
      [5],
    ])
    expect(await batch(1)).toEqual([])
    expect((await rest(partitioner)).map(rowsOfGroup)).toEqual([1])
  })

  it('gives out what it holds before it would be more than the bytes of a row group', async () => {
    // Three rows of 25 bytes fit, four do not.
    const partitioner = partitionerOf([byNumber], { groupRows: 100, groupBytes: 80, heldBytes: 1e6 })
    const batch = async (rows: number): Promise<number[]> =>
      (await partitioner.add(columnsOf(Array.from({ length: rows }, (): Row => [1, 'a', 1n])))).map(
        rowsOfGroup,
      )
    expect([await batch(2), await batch(1), await batch(1), await batch(5)]).toEqual([[], [], [3], [1, 5]])
    expect(await rest(partitioner)).toEqual([])
  })

  it('never gives out more rows than asked for, also where bytes cut a batch before', async () => {
    const partitioner = partitionerOf([byNumber], { groupRows: 5, groupBytes: 400, heldBytes: 1e6 })
    const batch = async (rows: number, text: string): Promise<number[]> =>
      (await partitioner.add(columnsOf(Array.from({ length: rows }, (): Row => [1, text, 1n])))).map(
        rowsOfGroup,
      )
    expect(await batch(3, 'wide'.repeat(25))).toEqual([])
    // Two more would fill the group, were they not too many bytes.
    expect(await batch(9, 'a')).toEqual([3, 5])
    expect((await rest(partitioner)).map(rowsOfGroup)).toEqual([4])
  })

  it('passes batches through where there is no field', async () => {
    const vectors = columnsOf([[1, 'a', 1n]])
    const partitioner = partitionerOf([], { groupRows: 1, groupBytes: 1, heldBytes: 1 })
    expect(await partitioner.add(vectors)).toEqual([{ partition: [], vectors }])
    expect(await rest(partitioner)).toEqual([])
  })

  it('never takes texts with line breaks for two others', async () => {
    const partitioner = partitionerOf([byText(0, 1000), byText(1, 1001)], {
      groupRows: 1e6,
      groupBytes: 1e6,
      heldBytes: 1e6,
    })
    await partitioner.add([vectorOf(string, ['a\nstring b', 'a']), vectorOf(string, ['c', 'b\nstring c'])])
    expect(await rest(partitioner)).toHaveLength(2)
    expect(keyOf(['1'])).not.toBe(keyOf([1]))
    expect(keyOf([null])).not.toBe(keyOf(['null']))
  })

  it('keeps rows of many partitions on disk until each has one row group, without NULLs or texts lost', async () => {
    // 300 partitions of 10 rows each, in mixed order; a few batches' worth may be held.
    const limits = { groupRows: 1000, groupBytes: 1e6, heldBytes: 20_000 }
    const partitioner = partitionerOf([byNumber], limits, true)
    const expected: string[] = []
    for (let batch = 0; batch < 10; batch++) {
      const rows = Array.from({ length: 300 }, (_, i): Row => [
        (i * 7919 + batch) % 300,
        i % 3 === 0 ? null : `text ${batch} ${'x'.repeat(i % 17)}`,
        BigInt(i * batch),
      ])
      expected.push(...rowTexts(columnsOf(rows)))
      expect(await partitioner.add(columnsOf(rows))).toEqual([])
    }
    const out = await rest(partitioner)
    expect(out.map(rowsOfGroup)).toEqual(Array(300).fill(10))
    expect(new Set(out.map(({ partition }) => keyOf(partition))).size).toBe(300)
    expect(out.flatMap(({ vectors }) => rowTexts(vectors)).sort()).toEqual(expected.sort())
  })
})
