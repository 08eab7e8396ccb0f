import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { QueryRequest } from '../../jobs/query/protocol.ts'
import { unique } from '../../jobs/query/output/unique.ts'
import { fitted } from '../../jobs/query/output/write-table.ts'
import { openSession, query } from '../../jobs/query/session.ts'

let session: Awaited<ReturnType<typeof openSession>>
beforeAll(async () => {
  session = await openSession()
  await session.connection.run("SET TimeZone = 'UTC'")
})
afterAll(() => {
  session.close()
})

async function written(sql: string, format: QueryRequest['format'], width?: number): Promise<string> {
  const texts: string[] = []
  const sink = {
    write: (text: string) => {
      texts.push(text)
      return Promise.resolve()
    },
    isGone: () => false,
  }
  const request: QueryRequest = {
    ...{ sql, format, width, explain: false, notes: [], steps: [], paths: [], threads: 1 },
    ...{ memoryLimit: 0, spill: '', store: undefined },
  }
  await query(session.connection, request, sink)
  return texts.join('')
}

/** A value of every kind that could be rounded, cut or mistaken. */
const exact = `SELECT 1::TINYINT AS a, 5::BIGINT AS b, 170141183460469231731687303715884105727::HUGEINT AS c,
  1.10::DECIMAL(38, 2) AS d, 'nan'::DOUBLE AS e, 1.1::FLOAT AS f, 0.1::DOUBLE AS g, TIMESTAMPTZ '2024-09-15 18:00:00.123456+02' AS h,
  TIME '01:02:03.000004' AS i, '\\x00a'::BLOB AS j, [1::BIGINT, NULL] AS k, {'x': 1.50, 'y': NULL} AS l, MAP {'k': 2::UBIGINT} AS m,
  NULL AS n, true AS o, DATE '0001-01-01' AS p, 'NULL' AS q`

describe('values', () => {
  it('as JSON: what a number would round is a text, by its type, at every depth', async () => {
    expect(JSON.parse(await written(exact, 'json'))).toEqual([
      {
        ...{ a: 1, b: '5', c: '170141183460469231731687303715884105727', d: '1.10', e: 'NaN' },
        ...{ f: Math.fround(1.1), g: 0.1, h: '2024-09-15 16:00:00.123456+00', i: '01:02:03.000004' },
        ...{ j: '\\x00a', k: ['1', null], l: { x: '1.50', y: null }, m: [{ key: 'k', value: '2' }] },
        ...{ n: null, o: true, p: '0001-01-01', q: 'NULL' },
      },
    ])
  })

  it('as CSV: NULL is nothing, a float has its own digits', async () => {
    expect((await written(exact, 'csv')).split('\n')[1]).toBe(
      '1,5,170141183460469231731687303715884105727,1.10,NaN,1.1,0.1,2024-09-15 16:00:00.123456+00,' +
        `01:02:03.000004,\\x00a,"[1, NULL]","{'x': 1.50, 'y': NULL}",{'k': 2},,true,0001-01-01,NULL`,
    )
  })

  it('-0 keeps its sign in every form, also within others', async () => {
    const zeros = `SELECT -0.0::DOUBLE AS d, -0.0::FLOAT AS f, 0.0::DOUBLE AS z, [-0.0::DOUBLE, 0, NULL] AS l,
      {'it''s': -0.0::FLOAT, 'b': {'c': [-0.0::DOUBLE], 't': 'a''b'}} AS s, MAP {-0.0::DOUBLE: -0.0::FLOAT} AS m, [-0.0::FLOAT, 1]::FLOAT[2] AS a`
    expect(await written(zeros, 'json')).toBe(
      '[\n{"d":-0,"f":-0,"z":0,"l":[-0,0,null],"s":{"it\'s":-0,"b":{"c":[-0],"t":"a\'b"}},"m":[{"key":-0,"value":-0}],"a":[-0,1]}\n]\n',
    )
    const csv =
      "-0,-0,0,\"[-0, 0, NULL]\",\"{'it''s': -0, 'b': {'c': [-0], 't': 'a''b'}}\",{-0: -0},\"[-0, 1]\""
    expect((await written(zeros, 'csv')).split('\n')[1]).toBe(csv)
    expect((await written(zeros, 'table')).split('\n')[2]!.split(/ {2,}/)).toEqual([
      '-0',
      '-0',
      '0',
      '[-0, 0, NULL]',
      "{'it''s': -0, 'b': {'c': [-0], 't': 'a''b'}}",
      '{-0: -0}',
      '[-0, 1]',
    ])
  })

  it('an infinite date is infinite', async () => {
    const dates = `SELECT DATE 'infinity' AS a, [DATE '-infinity'] AS b, DATE '5881580-07-10' AS c`
    expect((await written(dates, 'csv')).split('\n')[1]).toBe('infinity,[-infinity],5881580-07-10')
    expect(JSON.parse(await written(dates, 'json'))).toEqual([
      { a: 'infinity', b: ['-infinity'], c: '5881580-07-10' },
    ])
  })

  it('a float has its own digits at every depth', async () => {
    const floats = `SELECT [0.1::FLOAT, NULL, 'nan'::FLOAT] AS l, {'x': [1.1::FLOAT], 'Y"': 0.1::DOUBLE} AS s,
      MAP {0.3::FLOAT: 16777216::FLOAT} AS m, [1e-40::FLOAT, 3.4e38::FLOAT]::FLOAT[2] AS a`
    const line = '"[0.1, NULL, NaN]","{\'x\': [1.1], \'Y""\': 0.1}",{0.3: 16777216},"[1e-40, 3.4e+38]"'
    expect((await written(floats, 'csv')).split('\n')[1]).toBe(line)
  })

  it('a backslash of bytes is not the one that tells of another byte', async () => {
    const blobs = `SELECT '\\x5Cx00'::BLOB AS a, '\\x00'::BLOB AS b, ['\\x5C'::BLOB] AS c, {'k': '\\x27\\x7F~'::BLOB} AS d,
      MAP {'\\x5C'::BLOB: '\\xFF'::BLOB} AS e`
    const casts = `SELECT COLUMNS(*)::VARCHAR FROM (SELECT a, b, c[1], d.k, map_keys(e)[1] FROM (${blobs}))`
    expect(await written(casts, 'csv')).toContain('\n\\x5Cx00,\\x00,\\x5C,\\x27\\x7F~,\\x5C\n')
    expect((await written(blobs, 'csv')).split('\n')[1]).toBe(
      "\\x5Cx00,\\x00,[\\x5C],{'k': \\x27\\x7F~},{\\x5C: \\xFF}",
    )
    expect(JSON.parse(await written(blobs, 'json'))).toEqual([
      {
        ...{ a: '\\x5Cx00', b: '\\x00', c: ['\\x5C'], d: { k: '\\x27\\x7F~' } },
        e: [{ key: '\\x5C', value: '\\xFF' }],
      },
    ])
  })

  it.each(['row(1, 2)', '[(1, 2)]', "{'a': (1, NULL)}", 'MAP {(1, 2): 3}'])(
    'rows without names are refused, of which the client gives one field: %s',
    async (value) => {
      for (const format of ['csv', 'json', 'table'] as const)
        await expect(written(`SELECT 0 AS a, ${value} AS b`, format)).rejects.toMatchObject({
          code: 'usage',
          message: 'the fields of b have no names',
        })
      expect(await written("SELECT {'first': 1, 'second': 2} AS b", 'csv')).toMatch(/'second': 2/)
    },
  )

  it('two columns of one name stay two', async () => {
    expect(await written('SELECT 1 AS a, 2 AS a', 'json')).toBe('[\n{"a":1,"a_1":2}\n]\n')
    expect(unique(['a', 'a', 'a_1', 'a'])).toEqual(['a', 'a_2', 'a_1', 'a_3'])
  })

  it('many chunks follow each other', async () => {
    const rows = JSON.parse(await written('SELECT i::INT AS i FROM range(5000) r(i)', 'json')) as {
      i: number
    }[]
    expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 5000 }, (_, i) => i))
  })
})

describe('a table', () => {
  it('fits the terminal, says what it leaves out, and obeys nothing', async () => {
    const sql = `SELECT 12 AS n, repeat('x', 90) AS long, '漢字' || chr(27) || '[2J' || chr(8238) AS odd`
    expect(await written(sql, 'table', 40)).toBe(
      [
        ' n  long               odd',
        '--  -----------------  -----------------',
        '12  xxxxxxxxxxxxxxxx…  漢字\\u001b[2J\\u2…',
        '',
      ].join('\n'),
    )
    expect(await written(sql, 'table')).toContain('x'.repeat(90))
    const wide = `SELECT ${Array.from({ length: 9 }, (_, at) => `'value' AS c${at}`).join(', ')}`
    expect(await written(wide, 'table', 20)).toContain('(and 6 more columns)')
    expect(fitted([3, 50, 50], 40)).toEqual([3, 16, 16])
  })
})
