import { describe, expect, it } from '@jest/globals'
import { JobError } from '../../jobs/errors.ts'
import { textOf } from '../../jobs/config/section.ts'
import { tableFacts } from '../../jobs/config/effective.ts'
import { mainSource } from '../../jobs/config/table-key.ts'
import { parse } from './parse.ts'

function failureOf(text: string, env = {}): JobError {
  try {
    parse(text, env)
  } catch (error) {
    if (error instanceof JobError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('lakejobs.yaml', () => {
  it('is YAML 1.2: yes, 12:00 and 0x10 are texts, - and _ are one in keys', () => {
    const { defaults, groups } = parse(
      'version: 1\ndefaults: { row_security: yes, day-column: 12:00, scratch: no }\ngroups: { a: { deadline: 12:00, schedule: "@daily" } }',
    )
    expect([...defaults].map(([name, { words }]) => [name, words])).toEqual([
      ['row-security', 'yes'],
      ['day-column', '12:00'],
      ['scratch', 'no'],
    ])
    expect(textOf(groups.get('a')!.about, 'deadline')).toBe('12:00')
    expect(failureOf('version: 1\ndefaults: { lookback: 0x10 }').message).toContain('"0x10" is not valid')
  })

  it('tells all faults at once, each with line, column, field, value and fix', () => {
    const { code, field, fix, message } = failureOf(`version: 1
tables:
  shop.orders:
    lookbak: 3
    max-shrink: 50
    mode: [day]
    cast: { n: [text] }
    lock-timeout:
`)
    expect(message.split('; ')).toEqual([
      'lakejobs.yaml:4:5 tables.shop.orders.lookbak: "lookbak" is no key of tables.shop.orders (did you mean lookback?)',
      'lakejobs.yaml:5:17 tables.shop.orders.max-shrink: "50" is not valid (give a share with its %, such as 50%)',
      'lakejobs.yaml:6:11 tables.shop.orders.mode: a list stands where one value belongs (give one value)',
      'lakejobs.yaml:7:16 tables.shop.orders.cast: n has not one value (give each key one value)',
      'lakejobs.yaml:8:18 tables.shop.orders.lock-timeout: it has no value (give one, or leave the key out)',
    ])
    expect({ code, field, fix }).toEqual({
      code: 'usage',
      field: 'lakejobs.yaml:4',
      fix: 'mend lakejobs.yaml, 5 faults',
    })
  })

  it('a single fault has its own fix', () => {
    expect(failureOf('version: 1\ntables: { shop.orders: { group: dayly } }')).toMatchObject({
      message: 'lakejobs.yaml:2:33 tables.shop.orders.group: there is no group "dayly"',
      fix: 'did you mean daily?',
    })
  })

  it.each([
    ['tables: {}', 'lakejobs.yaml:1:1 version: the file does not say its version'],
    ['version: 2', 'lakejobs.yaml:1:10 version: version "2" is not known'],
    ['', 'lakejobs.yaml:1:1 version: the file does not say its version'],
    ['version: 1\nversion: 1', 'lakejobs.yaml:2:1 version: "version" is there twice, in line 1 too'],
    ['version: 1\ntables: { a: {}, a: {} }', '"a" is there twice, in line 2 too'],
    ['version: 1\ntables: { shop.a: {}, SHOP.A: {} }', '"SHOP.A" is there twice, in line 2 too'],
    ['version: 1\ntables: { a: {}, public.a: {} }', '"public.a" is there twice, in line 2 too'],
    ['version: 1\ndefaults: { max-shrink: 5%, max_shrink: 6% }', '"max_shrink" is there twice'],
    ['version: 1\ntables: { a: { decimal: { n: "9,2", n: "9,3" } } }', '"n" is there twice'],
    ['version: 1\ntables: { a.b.c: {} }', '"a.b.c" is not a table name'],
    ['version: 1\ntables: { crm/a: {} }', 'there is no source "crm"'],
    [
      'version: 1\nsources: { 9crm: {} }',
      'lakejobs.yaml:2:12 sources.9crm: "9crm" cannot be a source\'s name',
    ],
    ['version: 1\ngroups: { "a b": {} }', '"a b" cannot be a group\'s name'],
    ['version: 1\nsources: { crm: { env: crm } }', '"crm" is no prefix of environment names'],
    ['version: 1\nsources: { crm: { password: x } }', '"password" is no key of sources.crm'],
    ['version: 1\ntables: { a.*: { target: x.y } }', 'all tables of a pattern would become one'],
    ['version: 1\ntables: { a: { target: x.y, namespace: x } }', 'target says the namespace, too'],
    ['version: 1\ntables: { a: { target: y } }', '"y" is not a table of the catalog'],
    ['version: 1\ntables: { a: { target: x/z.y } }', '"x/z.y" is not a table of the catalog'],
    ['version: 1\ntables: { a: { namespace: "shop." } }', '"shop." is not a namespace'],
    ['version: 1\ntables: { a: { namespace: a..b } }', '"a..b" is not a namespace'],
    ['version: 1\ngroups: { backfill: {} }', '"backfill" cannot be a group\'s name'],
    ['version: 1\ngroups: { a: { schedule: daily } }', '"daily" is not valid'],
    ['version: 1\ngroups: { a: { timezone: Mars/Base } }', '"Mars/Base" is not valid'],
    [
      'version: 1\ngroups: { a: { schedule: "5 * * * *", deadline: 09:00 } }',
      'lakejobs.yaml:2:49 groups.a.deadline: "09:00" needs a schedule with one time of day, and the group has 5 * * * *',
    ],
    ['version: 1\ngroups: { a: { schedule: "0 7,8 * * 1", deadline: 09:00 } }', 'has 0 7,8 * * 1'],
    ['version: 1\ngroups: { a: { schedule: "@hourly", deadline: 09:00 } }', 'has @hourly'],
    ['version: 1\ngroups: { a: { deadline: 09:00 } }', 'the group has none'],
    ['version: 1\ngroups: { a: { schedule: "@daily", deadline: 9:00 } }', '"9:00" is not valid'],
    ['version: 1\ndefaults: { partition-by: [week(a)] }', 'not a partition transform'],
    ['version: 1\ndefaults: { table: a }', '"table" is no key of defaults'],
    ['version: 1\ndefaults: [a]', 'a list stands where keys belong'],
    ['version: 1\ndefaults: { scratch: "${NO_SUCH}" }', '${NO_SUCH} is not set'],
    ['version: 1\ndefaults: { scratch: "${constructor}" }', '${constructor} is not set'],
    ['version: 1\ntables: { a: { namespace: "${NS-crm}" } }', 'a ${ begins neither ${NAME} nor'],
    ['version: 1\ndefaults: { scratch: "${A:-${B}}" }', 'a ${ begins neither ${NAME} nor'],
    ['version: 1\ndefaults: { scratch: "${A" }', 'lakejobs.yaml:2:22 defaults.scratch: a ${ begins neither'],
    ['version: 1\ndefaults: &a { cast: [*a] }', 'lakejobs.yaml:2'],
    ['version: 1\ndefaults: { scratch: !secret x }', 'Unresolved tag'],
    ['version: 1\n defaults: {', 'lakejobs.yaml:2'],
    ['version: 1\n---\nversion: 1', 'lakejobs.yaml:2:1: a second document begins'],
    ['version: 1\ndefaults: { <<: { format: iceberg } }', 'YAML 1.2 has no merge keys'],
    ['version: 1\ntables: { <<: { a.b: {} } }', 'YAML 1.2 has no merge keys'],
  ])('refuses %j', (text, message) => {
    const failure = failureOf(text)
    expect(failure.code).toBe('usage')
    expect(failure.message).toContain(message)
    expect(failure.fix).toMatch(/./)
  })

  it.each([
    ['defaults', 'a'],
    ['defaults', '"<<"'],
    ['groups', 'ab'],
  ])('suggests no key of %s for %s, which is like none', (place, key) => {
    const group = place === 'groups' ? `{ g: { ${key}: 1 } }` : `{ ${key}: 1 }`
    expect(failureOf(`version: 1\n${place}: ${group}`).fix).not.toContain('did you mean')
  })

  it.each(['schedule: "0 7 * * 1-5", ', 'schedule: "@weekly", ', ''])(
    'takes a deadline of daily with %j',
    (said) => {
      const { groups } = parse(`version: 1\ngroups: { daily: { ${said}deadline: 09:00 } }`)
      expect(textOf(groups.get('daily')!.about, 'deadline')).toBe('09:00')
    },
  )

  it('a billion aliases are refused at once', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`)
    expect(failureOf(`version: 1\na0: &a0 [x]\n${levels.join('\n')}`).message).toContain('aliases')
  })

  it('${NAME} and ${NAME:-x} are of the environment, $${ is ${', () => {
    const text = 'version: 1\ndefaults: { scratch: "${A}/${B:-b}/$${A}", lookback: "${N:-3}" }'
    const { defaults } = parse(text, { A: 'a' })
    expect(defaults.get('scratch')?.words).toBe('a/b/${A}')
    expect(defaults.get('lookback')?.words).toBe('3')
    expect(failureOf(text, { A: 'a', N: 'x' }).message).toContain('lookback: "x" is not valid')
  })

  it('an exact name wins over a pattern, a longer pattern over a shorter, option by option', () => {
    const config = parse(`version: 1
sources: { crm: {} }
groups: { hourly: {} }
tables:
  shop.orders: { lookback: 1 }
  shop.*: { lookback: 4, codec: gzip, group: hourly }
  shop.ord*: { lookback: 3, max-shrink: 1% }
  "*/public.*": { namespace: all }
  crm/public."Odd.Name*": { enabled: false }
`)
    const said = (source: string, schema: string, name: string): Record<string, unknown> => {
      const { sections, group, target, enabled, isNamed } = tableFacts(
        config,
        { source, schema, name },
        'default',
      )
      const of = (option: string): unknown => sections.find((one) => one.has(option))?.get(option)?.words
      return {
        lookback: of('lookback'),
        codec: of('codec'),
        shrink: of('max-shrink'),
        group: group.name,
        target: `${target.namespace}.${target.name}`,
        enabled,
        isNamed,
      }
    }
    const shop = { codec: 'gzip', group: 'hourly', enabled: true }
    expect(said(mainSource, 'shop', 'orders')).toEqual({
      ...shop,
      lookback: '1',
      shrink: '1%',
      target: 'shop.orders',
      isNamed: true,
    })
    expect(said(mainSource, 'shop', 'order_items')).toMatchObject({ ...shop, lookback: '3', isNamed: false })
    expect(said(mainSource, 'shop', 'users')).toMatchObject({ ...shop, lookback: '4', shrink: undefined })
    expect(said('crm', 'shop', 'users')).toMatchObject({ group: 'daily', target: 'crm_shop.users' })
    expect(said('crm', 'public', 'users')).toMatchObject({ target: 'all.users', enabled: true })
    // A quoted star is a star.
    expect(said('crm', 'public', 'Odd.Name*')).toMatchObject({ enabled: false, isNamed: true })
    expect(said('crm', 'public', 'Odd.Names')).toMatchObject({ enabled: true })
  })
})
