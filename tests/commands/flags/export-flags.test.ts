import { describe, expect, it } from '@jest/globals'
import {
  decimals,
  exportFormats,
  exportScope,
  pairs,
  type ScopeFlags,
} from '../../../jobs/commands/flags/export-flags.ts'
import { tablePairs } from '../../../jobs/export/target/names.ts'
import { resolveOptions } from '../../../jobs/options/resolve-options.ts'

const scope = (flags: Partial<ScopeFlags>): unknown => {
  try {
    return exportScope({
      mode: 'auto',
      date: undefined,
      from: undefined,
      to: undefined,
      lookback: 0,
      ...flags,
    })
  } catch (error) {
    return error
  }
}

describe('the scope', () => {
  it.each([
    [{}, { mode: 'full' }],
    [{ mode: 'full' }, { mode: 'full' }],
    [{ date: '2024-03-01' }, { mode: 'day', from: '2024-03-01', to: '2024-03-01' }],
    [
      { date: '2024-03-01', lookback: 3 },
      { mode: 'day', from: '2024-02-27', to: '2024-03-01' },
    ],
    [
      { mode: 'day', from: '2024-02-28', to: '2024-03-01' },
      { mode: 'day', from: '2024-02-28', to: '2024-03-01' },
    ],
  ] as const)('of %j is %j', (flags, expected) => {
    expect(scope(flags)).toEqual(expected)
  })

  it.each([
    [{ date: '2024-03-01', from: '2024-03-01' }, '--date'],
    [{ mode: 'day' }, '--date'],
    [{ mode: 'full', date: '2024-03-01' }, '--mode'],
    [{ from: '2024-03-01' }, '--to'],
    [{ to: '2024-03-01' }, '--from'],
    [{ from: '2024-03-02', to: '2024-03-01' }, '--to'],
  ] as const)('of %j is refused, and %s named', (flags, field) => {
    expect(scope(flags)).toMatchObject({ code: 'usage', field })
  })
})

describe('lists', () => {
  const list = (value: string | readonly string[]): unknown =>
    resolveOptions({ a: { kind: 'list', describe: '' } }, { a: value }, {}).a

  it.each([
    ['a,b', ['a', 'b']],
    [
      ['a', 'b,c'],
      ['a', 'b', 'c'],
    ],
    ['bucket(16, id), day(at)', ['bucket(16, id)', 'day(at)']],
    ['"a,b"."c""d,e",f', ['"a,b"."c""d,e"', 'f']],
    ['numeric(10,2)', ['numeric(10,2)']],
  ])('%j is %j', (text, expected) => {
    expect(list(text)).toEqual(expected)
  })

  it('before the first day there is are refused, with the number that works', () => {
    const flags = { mode: 'auto', from: undefined, to: undefined, date: '0001-01-02' } as const
    expect(() => exportScope({ ...flags, lookback: 5 })).toThrow(
      expect.objectContaining({ code: 'usage', field: '--lookback', fix: 'give --lookback 1 or less' }),
    )
    expect(exportScope({ ...flags, lookback: 1 })).toMatchObject({ from: '0001-01-01', to: '0001-01-02' })
    expect(() => exportScope({ ...flags, lookback: 1e15 - 1 })).toThrow('reaches before 0001-01-01')
  })

  it('of nothing are refused', () => {
    expect(() => list('')).toThrow('--a')
    expect(() => list(' , ')).toThrow('--a')
  })

  it('of formats, casts and decimals', () => {
    expect([...exportFormats(['iceberg', 'parquet', 'iceberg'])]).toEqual(['iceberg', 'parquet'])
    expect(() => exportFormats(['csv'])).toThrow('"csv"')
    expect(() => exportFormats(['both'])).toThrow(
      expect.objectContaining({ fix: 'give parquet, iceberg or parquet,iceberg' }),
    )
    expect(pairs('--cast', ['a=text', 'b=c=bigint'])).toEqual({ a: 'text', 'b=c': 'bigint' })
    expect(pairs('--rename', ['old=new'])).toEqual({ old: 'new' })
    expect(pairs('--rename', ['"a=b"="c=d"', 'x"y=z'])).toEqual({ '"a=b"': '"c=d"', 'x"y': 'z' })
    expect(() => pairs('--rename', ['old'])).toThrow(
      expect.objectContaining({ fix: 'write --rename old=new' }),
    )
    for (const bad of ['a', '=text', 'a=']) expect(() => pairs('--cast', [bad])).toThrow('--cast')
    expect(decimals(['a=38', '9', 'b=10', '2'])).toEqual({
      a: { precision: 38, scale: 9 },
      b: { precision: 10, scale: 2 },
    })
    for (const bad of [['a=38'], ['a'], ['a=38', 'x'], ['a=38', '9', '9']])
      expect(() => decimals(bad)).toThrow('--decimal')
  })

  it('takes a name in quotes with quotes of its own, and refuses many quotes at once', () => {
    expect(pairs('--rename', ['"a""="=b', '"""="="="'])).toEqual({ '"a""="': 'b', '"""="': '"="' })
    expect(decimals(['"a"",b"=9', '2'])).toEqual({ '"a"",b"': { precision: 9, scale: 2 } })
    // Never, if each pair of them could be read in two ways.
    const quotes = '"'.repeat(200)
    expect(() => pairs('--rename', [quotes])).toThrow('--rename')
    expect(() => decimals([quotes])).toThrow('--decimal')
    expect(() => tablePairs([`${quotes}=`], 'default')).toThrow('is not a table name')
  })
})
