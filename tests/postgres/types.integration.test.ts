import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parseTableName } from '../../jobs/postgres/identifiers.ts'
import type { SourceType } from '../../jobs/postgres/source/types.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { columnOf, open, readAll, readTable, rowCount } from './read-source.ts'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
}, 30_000)
afterAll(() => server.stop())

/** The value as PostgreSQL's `::text` (UTC, ISO) writes it, by BigInt and the slow way. */
function textOf(type: SourceType, value: Buffer): string {
  const micros = (): bigint => value.readBigInt64LE()
  const instant = (us: bigint): string => {
    const seconds = us >= 0n ? us / 1_000_000n : (us - 999_999n) / 1_000_000n
    const fraction = (us - seconds * 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '')
    const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')
    return fraction === '' ? whole : `${whole}.${fraction}`
  }
  switch (type.kind) {
    case 'boolean':
      return value[0] === 1 ? 'true' : 'false'
    case 'int':
      return String(value.readInt32LE())
    case 'long':
      return String(value.readBigInt64LE())
    case 'float':
      return value.toString('hex')
    case 'double':
      return value.toString('hex')
    case 'decimal': {
      const little = value.length <= 8 ? Buffer.from(value).reverse() : value
      const unscaled = BigInt.asIntN(value.length * 8, BigInt(`0x${little.toString('hex')}`))
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(type.scale + 1, '0')
      const point = digits.length - type.scale
      const fraction = type.scale === 0 ? '' : `.${digits.slice(point)}`
      return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${fraction}`
    }
    case 'string':
      return value.toString()
    case 'binary':
      return `\\x${value.toString('hex')}`
    case 'uuid':
      return value.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
    case 'date':
      return new Date(value.readInt32LE() * 86_400_000).toISOString().slice(0, 10)
    case 'time':
      return instant(micros()).slice(11)
    case 'timestamp':
      return instant(micros())
    case 'list':
      throw new TypeError('a list has no text here')
    case 'timestamptz':
      return `${instant(micros())}+00`
  }
}

const max38 = '9'.repeat(38)
const samples: [string, string, string[]][] = [
  ['boolean', 'boolean', ['true', 'false']],
  ['smallint', 'int', ['-32768', '32767', '0']],
  ['integer', 'int', ['-2147483648', '2147483647']],
  ['bigint', 'long', ['-9223372036854775808', '9223372036854775807', '-1', '4294967296']],
  ['numeric(9,2)', 'decimal', ['-9999999.99', '9999999.99', '0', '0.01']],
  ['numeric(18,6)', 'decimal', ['-999999999999.999999', '0.000001', '123456.5']],
  ['numeric(38,0)', 'decimal', [max38, `-${max38}`, '1']],
  ['numeric(38,38)', 'decimal', [`0.${max38}`, `-0.${'0'.repeat(37)}1`]],
  ['numeric(3,5)', 'decimal', ['0.00999', '-0.00001']],
  ['numeric(3,-2)', 'decimal', ['99900', '-100', '0']],
  ['text', 'string', ['', 'a', '😀é', `tab\tand\nline`, 'x'.repeat(70), "'; --"]],
  ['varchar(5)', 'string', ['', 'abcde']],
  ['char(5)', 'string', ['ab   ', '     ']],
  ['json', 'string', ['{"a":  1.50, "a": 2}', 'null']],
  ['jsonb', 'string', ['{"a": 1.50, "b": [true]}', 'null']],
  ['bytea', 'binary', ['\\x', '\\x00ff0a']],
  ['uuid', 'uuid', ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-4fff-bfff-fffffffffffe']],
  ['date', 'date', ['0001-01-01', '9999-12-31', '1969-12-31', '1970-01-01', '2000-01-01']],
  ['time', 'time', ['00:00:00', '23:59:59.999999', '12:34:56.000001']],
  [
    'timestamp',
    'timestamp',
    [
      '0001-01-01 00:00:00',
      '9999-12-31 23:59:59.999999',
      '1999-12-31 23:59:59.999999',
      '1970-01-01 00:00:00',
    ],
  ],
  [
    'timestamptz',
    'timestamptz',
    ['0001-01-01 00:00:00+00', '9999-12-31 23:59:59.999999+00', '1969-12-31 23:59:59.999999+00'],
  ],
  ['mood', 'string', ['so-so', 'happy😀']],
  ['price', 'decimal', ['1.50', '-99.99']],
  ['cheap', 'decimal', ['0.10']],
]

describe('every type', () => {
  it('arrives exactly as PostgreSQL writes it, NULLs between', async () => {
    await server.query(`CREATE TYPE mood AS ENUM ('so-so', 'happy😀');
      CREATE DOMAIN price AS numeric(4,2) NOT NULL; CREATE DOMAIN cheap AS price CHECK (VALUE < 1)`)
    for (const [type, kind, values] of samples) {
      const domain = type === 'price' || type === 'cheap'
      await server.query(`DROP TABLE IF EXISTS sample; CREATE TABLE sample (n serial, v ${type})`)
      for (const value of values) {
        await server.query(`INSERT INTO sample (v) VALUES ($1::text::${type})`, [value])
        if (!domain) await server.query('INSERT INTO sample (v) VALUES (NULL)')
      }
      const { plan, groups } = await readTable(server, {
        table: parseTableName('sample'),
        columns: ['v'],
      })
      const shown =
        type === 'char(5)'
          ? 'rpad(v, 5)'
          : type === 'timestamptz'
            ? `(v AT TIME ZONE 'UTC')::text || '+00'`
            : 'v::text'
      const expected = await server.query(`SELECT ${shown} AS v FROM sample ORDER BY n`)
      const planned = plan.columns[0]!.type
      expect([type, planned.kind]).toEqual([type, kind])
      const read = columnOf(groups, 0, (value) => textOf(planned, value))
      expect([type, read]).toEqual([type, expected.map((row) => row['v'])])
    }
  }, 60_000)
})

describe('what has no exact counterpart', () => {
  it.each([
    ['numeric', '--decimal v=38,9 or --cast v=text'],
    ['numeric(39,1)', '--decimal v=38,1'],
    ['numeric(10,39)', '--cast v=text'],
    ['money', '--cast v=text'],
    ['pair', '--cast v=text'],
    ['ints[]', '--cast v=text'],
    ['numeric[]', '--decimal v=38,9 or --cast v=text'],
    ['money[]', '--cast v=text'],
  ])('%s is exit 3 and names %s', async (type, flag) => {
    await server.query(`DROP TYPE IF EXISTS pair CASCADE; CREATE TYPE pair AS (a int, b int);
      DROP DOMAIN IF EXISTS ints CASCADE; CREATE DOMAIN ints AS int[];
      DROP TABLE IF EXISTS refused; CREATE TABLE refused (ok int, v ${type})`)
    const shown = type.split('(')[0]!
    await expect(open(server, 'refused')).rejects.toMatchObject({
      code: 'data',
      field: 'public.refused.v',
      message: expect.stringContaining(shown) as unknown,
      fix: expect.stringContaining(flag) as unknown,
    })
  })

  it('is read as text or as a decimal where that is asked for', async () => {
    await server.query(`CREATE TABLE resolved (i interval, n numeric, a int[], "constructor" int, t timestamp);
      INSERT INTO resolved VALUES ('1 day 2 hours', 12.5, '{1,2}', 7, 'infinity')`)
    const { groups } = await readTable(server, {
      table: parseTableName('resolved'),
      casts: { i: 'text', a: 'text', t: 'text' },
      decimals: { n: { precision: 38, scale: 9 } },
    })
    const texts = [0, 2, 4].map((index) => columnOf(groups, index, String)[0])
    expect(texts).toEqual(['P1DT2H', '{1,2}', 'infinity'])
    expect(columnOf(groups, 1, (value) => BigInt(`0x${value.toString('hex')}`))).toEqual([12_500_000_000n])
  })

  it.each([
    ['timestamp', 'infinity'],
    ['timestamptz', '-infinity'],
    ['timestamp', '0044-03-15 00:00:00 BC'],
    ['timestamptz', '10000-01-01 00:00:00+00'],
    ['date', 'infinity'],
    ['time', '24:00:00'],
    ['numeric(5,2)', 'NaN'],
  ])('%s %s is exit 3 with its ctid', async (type, value) => {
    await server.query(`DROP TABLE IF EXISTS holed; CREATE TABLE holed (n int, v ${type});
      INSERT INTO holed (n) SELECT generate_series(1, 1000); DELETE FROM holed WHERE n % 3 = 0;
      INSERT INTO holed VALUES (0, '${value}'); INSERT INTO holed (n) SELECT generate_series(1, 1000)`)
    const [at] = await server.query('SELECT ctid::text FROM holed WHERE v IS NOT NULL')
    await expect(readTable(server, 'holed')).rejects.toMatchObject({
      code: 'data',
      field: 'public.holed.v',
      message: expect.stringContaining(`at ctid ${String(at?.['ctid'])} of`) as unknown,
      fix: expect.stringContaining('--cast v=text') as unknown,
    })
  })

  it('after it, what the server still sends is nobody’s, wherever its messages begin', async () => {
    const message = 5 + 2 + 4 + 4
    for (let shift = 0; shift < message; shift++) {
      await server.query(`DROP TABLE IF EXISTS early; CREATE TABLE early (pad text, d date);
        INSERT INTO early VALUES (repeat('x', ${shift}), 'infinity');
        INSERT INTO early SELECT NULL, NULL FROM generate_series(1, 40000)`)
      await expect(readTable(server, 'early')).rejects.toMatchObject({
        message: expect.stringContaining('ctid (0,1)') as unknown,
      })
    }
  })

  it('invalid UTF-8 of a SQL_ASCII database is exit 3, valid text is read', async () => {
    await server.createDatabase('ascii', "TEMPLATE template0 ENCODING 'SQL_ASCII'")
    const ascii = { ...server, database: 'ascii' }
    await server.query(
      `CREATE TABLE t (v text); INSERT INTO t VALUES ('é'), (E'\\xe2\\x82\\xac')`,
      [],
      'ascii',
    )
    expect(columnOf((await readTable(ascii, 't')).groups, 0, String)).toEqual(['é', '€'])
    await server.query(`INSERT INTO t VALUES (E'a\\xff')`, [], 'ascii')
    await expect(readTable(ascii, 't')).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('ctid (0,3)') as unknown,
    })
  })

  it('a text of exactly 64 MB is read, and the limit on a row is exact', async () => {
    const size = 64 * 2 ** 20
    await server.query(
      `CREATE TABLE wide (v text); INSERT INTO wide VALUES ('small'), (repeat('xxé😀', ${size / 8}))`,
    )
    const { source, plan } = await open(server, 'wide')
    // Beside the text, a row has its number of columns and the text's length.
    const row = 2 + 4 + size
    const groups = await readAll(source, plan, row)
    expect(rowCount(groups)).toBe(2)
    const end = (value: Buffer): string => `${value.length} ${value.toString('utf8', value.length - 8)}`
    expect(columnOf(groups, 0, end)).toEqual(['5 small', `${size} xxé😀`])
    await expect(readAll(source, plan, row - 1)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        new RegExp(`a row of ${row} bytes \\(limit ${row - 1}\\) at ctid \\(0,2\\)`),
      ) as unknown,
      fix: 'raise --max-row-bytes',
    })
    await source.close()
  }, 30_000)
})
