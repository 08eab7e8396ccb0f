import { describe, expect, it } from '@jest/globals'
import { partitionRows } from '../../../jobs/iceberg/partition/partition-rows.ts'
import { partitionSpec, partitionType } from '../../../jobs/iceberg/partition/partition-spec.ts'
import { parsePartitionExpression } from '../../../jobs/iceberg/partition/transforms.ts'
import type { PrimitiveType } from '../../../jobs/iceberg/schema/types.ts'
import type { ColumnVector } from '../../../jobs/vector/vector.ts'
import { dayNumber, micros, webLogsSchema } from '../tables.ts'
import { bytes, fixed } from './vectors.ts'

const columns: Record<number, { vector: ColumnVector; type: PrimitiveType }> = {
  1: {
    vector: fixed(
      8,
      ['2024-05-02', '2024-05-01', '2024-05-02', '2024-05-01', null].map(
        (day) => day && micros(day),
      ) as bigint[],
    ),
    type: { kind: 'timestamptz' },
  },
  2: { vector: fixed(4, [7, 7, 7, 7, 7]), type: { kind: 'int' } },
  3: { vector: bytes(['a', 'a', null, 'b', 'a']), type: { kind: 'string' } },
}
const sorted = (...by: string[]): unknown[] => {
  const spec = partitionSpec(
    webLogsSchema,
    by.map((text) => parsePartitionExpression(text)),
  )
  const { ordinals, tuples } = partitionRows(partitionType(spec, [webLogsSchema]), 5, (id) => columns[id]!)
  return Array.from(ordinals, (ordinal) => tuples[ordinal])
}

describe('partitions of a batch', () => {
  it('are the combinations that occur', () => {
    const [first, second] = [dayNumber('2024-05-01'), dayNumber('2024-05-02')]
    expect(sorted('day(timestamp)', 'user_id', 'url')).toEqual([
      [second, 7, 'a'],
      [first, 7, 'a'],
      [second, 7, null],
      [first, 7, 'b'],
      [null, 7, 'a'],
    ])
  })

  it('number one for an unpartitioned table', () => {
    expect(sorted()).toEqual([[], [], [], [], []])
  })

  it('are named once each, in order of appearance', () => {
    const spec = partitionSpec(webLogsSchema, [parsePartitionExpression('url')])
    const { ordinals, tuples } = partitionRows(partitionType(spec, [webLogsSchema]), 5, (id) => columns[id]!)
    expect([...ordinals]).toEqual([0, 0, 1, 2, 0])
    expect(tuples).toHaveLength(3)
  })
})
