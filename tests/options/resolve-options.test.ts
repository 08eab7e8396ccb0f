import { describe, expect, it } from '@jest/globals'
import type { OptionSpec } from '../../jobs/options/options.ts'
import { resolveOptions } from '../../jobs/options/resolve-options.ts'

const value = (spec: OptionSpec, text: unknown): unknown => resolveOptions({ x: spec }, { x: text }, {}).x

describe('resolveOptions', () => {
  it('takes the flag, else the environment, else the default, else nothing', () => {
    const table = {
      a: { kind: 'count', describe: '', env: 'A', default: '1' },
      b: { kind: 'count', describe: '', env: 'B' },
      c: { kind: 'flag', describe: '', env: 'C' },
    } as const
    expect(resolveOptions(table, { a: '3' }, { A: '2', B: '2' })).toEqual({ a: 3, b: 2, c: false })
    expect(resolveOptions(table, {}, { A: '2', C: 'yes' })).toEqual({ a: 2, c: true })
    expect(resolveOptions(table, { c: true }, {})).toEqual({ a: 1, c: true })
    expect(resolveOptions(table, { c: false }, { C: 'true' })).toMatchObject({ c: false })
  })

  it.each([
    ['text', 'a b', 'a b'],
    ['place', 's3://b', 's3://b'],
    ['day', '2024-02-29', '2024-02-29'],
    ['count', '0', 0],
    ['count', '999999999999999', 999_999_999_999_999],
    ['size', '512MB', 512 * 2 ** 20],
    ['size', '1.5GiB', 1.5 * 2 ** 30],
    ['size', '2 g', 2 ** 31],
    ['size', '100', 100],
    ['limit', '10', { count: 10 }],
    ['limit', '0.5%', { share: 0.005 }],
    ['limit', '100%', { share: 1 }],
    ['share', '50%', 0.5],
    ['share', '0%', 0],
    ['age', '7d', 604_800_000],
    ['age', '1.5h', 5_400_000],
    ['age', '0', 0],
    ['instant', '2024-09-16T07:00Z', Date.parse('2024-09-16T07:00:00Z')],
    ['instant', '2024-09-16 07:00', Date.parse('2024-09-16T07:00:00Z')],
    ['instant', '2024-09-16T07:00:01.5+02:00', Date.parse('2024-09-16T05:00:01.500Z')],
    ['flag', 'TRUE', true],
    ['flag', 'On', true],
    ['flag', 'no', false],
  ] as const)('reads %s %j', (kind, text, expected) => {
    expect(value({ kind, describe: '' }, text)).toEqual(expected)
  })

  it.each([
    ['text', '', 'give a value'],
    ['day', '2023-02-29', 'give a calendar day'],
    ['count', '-1', 'give a whole number of 0 or more'],
    ['count', '1e3', 'give a whole number'],
    ['count', '', 'give a whole number'],
    ['size', '0', 'above zero'],
    ['size', '1XB', 'such as 512MB'],
    ['limit', '101%', 'at most 100%'],
    ['limit', '5 %', 'such as 10'],
    ['share', '50', 'a share with its %, such as 50%'],
    ['share', '100.1%', 'at most 100%'],
    ['age', '-1d', 'an age with its unit'],
    ['age', '7', 'an age with its unit'],
    ['instant', '2024-09-16', 'give a day and a time'],
    ['instant', '2023-02-29T07:00Z', 'give a day and a time'],
    ['instant', '2024-09-16T25:00Z', 'give a day and a time'],
    ['instant', 'yesterday', 'give a day and a time'],
    ['flag', 'maybe', 'give true or false'],
  ] as const)('refuses %s %j with field, value and fix', (kind, text, fix) => {
    expect(() => value({ kind, describe: '' }, text)).toThrow(
      expect.objectContaining({
        code: 'usage',
        field: '--x',
        message: `--x: "${text}" is not valid`,
        fix: expect.stringContaining(fix),
      }),
    )
  })

  it('names the environment variable, the least number, the choices and a repeated flag', () => {
    const count = { kind: 'count', minimum: 2, describe: '', env: 'COUNT' } as const
    const choice = { kind: 'choice', choices: ['a', 'b'], describe: '' } as const
    expect(() => resolveOptions({ x: count }, {}, { COUNT: '1' })).toThrow(
      expect.objectContaining({ field: 'COUNT', fix: expect.stringContaining('2 or more') }),
    )
    expect(() => value(choice, 'c')).toThrow(expect.objectContaining({ fix: 'give one of a, b' }))
    expect(() => value(choice, ['a', 'b'])).toThrow('--x is given 2 times')
  })
})
