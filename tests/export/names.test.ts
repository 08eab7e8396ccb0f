import { describe, expect, it } from '@jest/globals'
import { tablePairs } from '../../jobs/export/names.ts'

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
    ['public."Web=Logs"', 'default.Web=Logs', 'Web=Logs'],
  ])('%s becomes %s', (text, target, folder) => {
    const { target: identifier, folder: found } = pair(text) as ReturnType<typeof tablePairs>[number]
    expect([[...identifier.namespace, identifier.name].join('.'), found]).toEqual([target, folder])
  })

  it('takes a namespace of several levels', () => {
    expect(pair('public.t', 'lake.raw')).toMatchObject({
      target: { namespace: ['lake', 'raw'], name: 't' },
      folder: 't',
    })
  })

  it.each(['t=x', 't=.x', 't=x.', 't=a..b', 'public."../../etc"', 'public."a/b"', '".."', String.raw`"a\b"`])(
    '%s is refused',
    (text) => {
      expect(refused(text)).toMatchObject({ code: 'usage', field: '--table' })
    },
  )

  it('two sources of one target are refused, and both named', () => {
    expect(refused('public.x', 'shop.x=default.x')).toMatchObject({
      code: 'usage',
      message: 'public.x and shop.x would both become default.x',
    })
  })
})
