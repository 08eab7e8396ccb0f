import { describe, expect, it } from '@jest/globals'
import { command as inspect } from '../../jobs/commands/inspect.ts'
import { command as verify } from '../../jobs/commands/verify.ts'
import { resolveOptions } from '../../jobs/options/resolve-options.ts'
import { placePositionals } from '../../jobs/options/positionals.ts'

const text = { kind: 'text', describe: '' } as const
const plain = {
  name: 'aggregate',
  describe: '',
  positionals: ['input', 'output', 'date'],
  options: { input: text, output: text, date: text },
  examples: [],
} as const
const spec = { ...plain, loneDay: 'date' } as const

describe('placePositionals', () => {
  it.each([
    [[], {}],
    [['in'], { input: 'in' }],
    [['in', 'out'], { input: 'in', output: 'out' }],
    [['in', 'out', '2024-09-16'], { input: 'in', output: 'out', date: '2024-09-16' }],
    [['2024-09-16'], { date: '2024-09-16' }],
    [['2024-02-30'], { date: '2024-02-30' }],
    [['2024-9-1'], { date: '2024-9-1' }],
    [['./2024-09-16'], { input: './2024-09-16' }],
    [['2024-09-16', 'out'], { input: '2024-09-16', output: 'out' }],
  ])('names %j', (words, placed) => {
    expect(placePositionals(spec, words, { days: '3' })).toEqual({ ...placed, days: '3' })
  })

  it.each([inspect, verify])('gives $name its tables', (command) => {
    const given = placePositionals(command, ['web_logs,shop.orders'], {})
    expect(resolveOptions(command.options, given, {})).toMatchObject({ table: ['web_logs', 'shop.orders'] })
  })

  it('takes a lone day for a folder where the command says nothing of days', () => {
    expect(placePositionals(plain, ['2024-09-16'], {})).toEqual({ input: '2024-09-16' })
  })

  it.each([
    [['in'], { input: 'x' }, '--input', 'input is given twice, as --input and as "in"'],
    [['2024-09-16'], { date: 'x' }, '--date', 'date is given twice'],
    [['a', 'b', 'c', 'd'], {}, 'd', '"d" is one argument too many'],
  ])('refuses %j with %j', (words, flags, field, message) => {
    expect(() => placePositionals(spec, words, flags)).toThrow(
      expect.objectContaining({ code: 'usage', field, message: expect.stringContaining(message) }),
    )
  })
})
