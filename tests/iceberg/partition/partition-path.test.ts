import { describe, expect, it } from '@jest/globals'
import { partitionPath, partitionText } from '../../../jobs/iceberg/partition/partition-path.ts'
import type { PrimitiveType, Value } from '../../../jobs/iceberg/schema/types.ts'
import { parseTransform } from '../../../jobs/iceberg/partition/transforms.ts'

const cases: [string, PrimitiveType, Value | null, string][] = [
  ['day', { kind: 'date' }, 17486, '2017-11-16'],
  ['day', { kind: 'date' }, -1, '1969-12-31'],
  ['month', { kind: 'int' }, 574, '2017-11'],
  ['month', { kind: 'int' }, -1, '1969-12'],
  ['year', { kind: 'int' }, -1, '1969'],
  ['hour', { kind: 'int' }, -1, '1969-12-31-23'],
  ['bucket[16]', { kind: 'int' }, 3, '3'],
  ['identity', { kind: 'timestamptz' }, -1n, '1969-12-31T23:59:59.999999+00:00'],
  ['identity', { kind: 'timestamp' }, 1_000_001n, '1970-01-01T00:00:01.000001'],
  ['identity', { kind: 'time' }, 81_068_000_001n, '22:31:08.000001'],
  ['identity', { kind: 'decimal', precision: 9, scale: 2 }, -5n, '-0.05'],
  ['identity', { kind: 'binary' }, Uint8Array.of(0, 1, 2, 3), 'AAECAw=='],
  [
    'identity',
    { kind: 'uuid' },
    Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex'),
    'f79c3e09-677c-4bbd-a479-3f349cb785e7',
  ],
  ['identity', { kind: 'boolean' }, true, 'true'],
  ['identity', { kind: 'string' }, null, 'null'],
]

describe('partition values for people', () => {
  it.each(cases)('%s of %j: %s is %s', (transform, type, value, text) => {
    expect(partitionText(parseTransform(transform), type, value)).toBe(text)
  })

  it('encodes names and values as Java does', () => {
    const type = [
      { id: 1000, name: 'a b', sourceId: 1, transform: parseTransform('identity'), type: { kind: 'string' } },
      { id: 1001, name: 'd', sourceId: 2, transform: parseTransform('day'), type: { kind: 'date' } },
    ] as const
    expect(partitionPath(type, ['/api/é ~*(1)', 17486])).toBe('a+b=%2Fapi%2F%C3%A9+%7E*%281%29/d=2017-11-16')
  })
})
