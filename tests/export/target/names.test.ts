import { describe, expect, it } from '@jest/globals'
import { tablePairs } from '../../../jobs/export/target/names.ts'

const pair = (text: string, namespace = 'default'): unknown => tablePairs([text], namespace)[0]
const refused = (...texts: string[]): unknown => {
  try {
    return tablePairs(texts, 'default')
  } catch (error) {
    return error
  }
}

describe('table pairs', () => {
  it.each([
    ['public.web_logs', 'default.web_logs', 'web_logs'],
    ['web_logs', 'default.web_logs', 'web_logs'],
    ['shop.orders', 'shop.orders', 'shop.orders'],
    ['shop.orders=a.b.c', 'a.b.c', 'a.b.c'],
    ['"Sh=op"."Or.ders"=lake.orders', 'lake.orders', 'lake.orders'],
    ['"We.ird S"."a"', 'We.ird S.a', 'We.ird S.a'],
    ['public."Web=Logs"', 'default.Web=Logs', 'Web=Logs'],
  ])('%s becomes %s', (text, target, folder) => {
    const { target: identifier, folder: found } = pair(text) as ReturnType<typeof tablePairs>[number]
    expect([[...identifier.namespace, identifier.name].join('.'), found]).toEqual([target, folder])
  })

  it('two that would share a folder are refused, and the fix works', () => {
    const both = ['public."shop.orders"', 'shop.orders'] as const
    const error = refused(...both) as { fix: string }
    expect(error).toMatchObject({ code: 'usage', field: '--table' })
    const [, flag = ''] = /--table '([^']*)'/.exec(error.fix) ?? []
    expect(refused(both[0], flag)).toHaveLength(2)
  })

  it('takes a namespace of several levels', () => {
    expect(pair('public.t', 'lake.raw')).toMatchObject({
      target: { namespace: ['lake', 'raw'], name: 't' },
      folder: 't',
    })
  })

  it('gives a schema with dots nested namespaces', () => {
    expect(pair('"We.ird S"."a.b"')).toMatchObject({ target: { namespace: ['We', 'ird S'], name: 'a.b' } })
  })

  it.each([
    't=x',
    't=.x',
    't=x.',
    't=a..b',
    '"a..b".t',
    '".a".t',
    'public."../../etc"',
    'public."a/b"',
    '".."',
    String.raw`"a\b"`,
  ])('%s is refused', (text) => {
    expect(refused(text)).toMatchObject({ code: 'usage', field: '--table' })
  })

  it('two sources of one target are refused, and both named', () => {
    expect(refused('public.x', 'shop.x=default.x')).toMatchObject({
      code: 'usage',
      message: 'public.x and shop.x would both become default.x',
    })
  })
})
