import { describe, expect, it } from '@jest/globals'
import {
  formatTransform,
  parsePartitionExpression,
  parseTransform,
  partitionFieldName,
  resultType,
} from '../../../jobs/iceberg/partition/transforms.ts'

describe('transforms', () => {
  it.each(['identity', 'year', 'month', 'day', 'hour', 'void', 'bucket[16]', 'truncate[4]', 'zorder[1,2]'])(
    'keeps %s through parse and format',
    (text) => {
      expect(formatTransform(parseTransform(text))).toBe(text)
    },
  )

  it.each([
    ['day(timestamp)', 'day', 'timestamp', 'timestamp_day'],
    ['days(timestamp)', 'day', 'timestamp', 'timestamp_day'],
    ['bucket(16, user_id)', 'bucket[16]', 'user_id', 'user_id_bucket'],
    ['truncate(url, 4)', 'truncate[4]', 'url', 'url_trunc'],
    ['truncate(4,url)', 'truncate[4]', 'url', 'url_trunc'],
    ['status_code', 'identity', 'status_code', 'status_code'],
    ['year("my, col")', 'year', 'my, col', 'my, col_year'],
  ])('parses %s', (text, transform, column, name) => {
    const expression = parsePartitionExpression(text)
    expect(formatTransform(expression.transform)).toBe(transform)
    expect(expression.column).toBe(column)
    expect(partitionFieldName(expression)).toBe(name)
  })

  it.each([
    'week(timestamp)',
    'bucket(user_id)',
    'bucket(0, user_id)',
    'day()',
    '',
    'day(timestamp',
    'void(a)',
  ])('refuses %p as usage', (text) => {
    expect(() => parsePartitionExpression(text)).toThrow(
      expect.objectContaining({ code: 'usage', field: '--partition-by' }),
    )
  })

  it('knows which types a transform takes and gives', () => {
    expect(resultType({ kind: 'day' }, 'timestamptz')).toEqual({ kind: 'date' })
    expect(resultType({ kind: 'day' }, 'string')).toBeUndefined()
    expect(resultType({ kind: 'hour' }, 'date')).toBeUndefined()
    expect(resultType({ kind: 'bucket', buckets: 4 }, 'double')).toBeUndefined()
    expect(resultType({ kind: 'bucket', buckets: 4 }, 'uuid')).toEqual({ kind: 'int' })
    expect(resultType({ kind: 'truncate', width: 4 }, 'decimal(9,2)')).toEqual({
      kind: 'decimal',
      precision: 9,
      scale: 2,
    })
  })
})
