import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { judge } from '../../jobs/query/statement/judge.ts'
import type { QueryRequest } from '../../jobs/query/protocol.ts'
import { openSession, parse, prepare, query } from '../../jobs/query/session.ts'
import { readStatement } from '../../jobs/query/statement/statement.ts'

let session: Awaited<ReturnType<typeof openSession>>
let connection: DuckDBConnection
beforeAll(async () => {
  session = await openSession()
  ;({ connection } = session)
})
afterAll(() => {
  session.close()
})

const judged = async (text: string): Promise<ReturnType<typeof judge>> =>
  judge(await parse(connection, readStatement(text).sql))

/** One by one: what it is that is tried, and the statement. */
const hostile: readonly (readonly [what: string, sql: string])[] = [
  ['writing a file', "COPY (SELECT 1) TO '/tmp/x.csv'"],
  ['writing a table out', "COPY web_logs TO 's3://lake/x.parquet'"],
  ['reading a file into a table', "COPY t FROM '/etc/passwd'"],
  ['another database', "ATTACH '/tmp/x.db' AS x"],
  ['a database in memory', "ATTACH ':memory:' AS x"],
  ['a pragma', 'PRAGMA database_list'],
  ['a pragma that prints', 'PRAGMA enable_profiling'],
  ['a setting', 'SET enable_external_access = true'],
  ['a setting of the session', "SET SESSION s3_secret_access_key = 'x'"],
  ['a reset', 'RESET lock_configuration'],
  ['a variable', 'SET VARIABLE x = 1'],
  ['an extension from the network', 'INSTALL httpfs'],
  ['an extension from the disk', "LOAD '/tmp/x.duckdb_extension'"],
  ['a table', 'CREATE TABLE t AS SELECT 1'],
  ['a secret', "CREATE OR REPLACE SECRET lake_0 (TYPE s3, KEY_ID 'a', SECRET 'b')"],
  ['a macro', 'CREATE MACRO f(x) AS x'],
  ['dropping', 'DROP VIEW web_logs'],
  ['inserting', 'INSERT INTO web_logs VALUES (1)'],
  ['deleting', 'DELETE FROM web_logs'],
  ['updating', 'UPDATE web_logs SET a = 1'],
  ['changing inside a CTE', 'WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x'],
  ['calling', 'CALL enable_logging()'],
  ['exporting', "EXPORT DATABASE '/tmp/x'"],
  ['importing', "IMPORT DATABASE '/tmp/x'"],
  ['preparing', 'PREPARE p AS SELECT 1'],
  ['two questions', 'SELECT 1; SELECT 2'],
  ['another statement behind', 'SELECT 1; DROP VIEW web_logs'],
  ['another statement behind a comment', "SELECT 1 /* ; */ ; -- x\n COPY (SELECT 1) TO 'x'"],
  ['a file by read_csv', "SELECT * FROM read_csv('/etc/passwd')"],
  ['a file by read_text', "SELECT * FROM read_text('/proc/self/environ')"],
  ['a file by read_blob in a subquery', "SELECT (SELECT content FROM read_blob('/etc/passwd') LIMIT 1)"],
  ['a file in a CTE', "WITH x AS (SELECT * FROM read_parquet('/tmp/x.parquet')) SELECT * FROM x"],
  ['a file laterally', "SELECT * FROM range(3) r(i), LATERAL (SELECT * FROM read_csv('/etc/passwd'))"],
  ['a file in EXISTS', "SELECT 1 WHERE EXISTS (FROM read_text('/etc/passwd'))"],
  ['a file in a join', "SELECT * FROM range(2) a JOIN read_json('/tmp/x.json') b ON true"],
  ['a file in a union', "SELECT 1 UNION ALL SELECT count(*) FROM sniff_csv('/etc/passwd')"],
  ['a function under a quoted name', `SELECT * FROM "read_csv"('/etc/passwd')`],
  ['a function of a schema', "SELECT * FROM main.read_csv('/etc/passwd')"],
  ['a function of the system', `SELECT * FROM system.main."read_text"('/etc/passwd')`],
  ['a function behind a comment', "SELECT * FROM read_csv/**/('/etc/passwd')"],
  ['names of files', "SELECT * FROM glob('/**')"],
  ['the metadata of a file', "SELECT * FROM parquet_metadata('/tmp/x.parquet')"],
  ['secrets', 'SELECT * FROM duckdb_secrets()'],
  ['which secret', "SELECT * FROM which_secret('s3://lake/x', 's3')"],
  ['settings', 'SELECT * FROM duckdb_settings()'],
  ['a setting by name', "SELECT current_setting('s3_secret_access_key')"],
  ['a setting as a method', "SELECT 's3_secret_access_key'.current_setting()"],
  ['the environment', "SELECT getenv('ICEBERG_POSTGRES_PASSWORD')"],
  ['the log, switched on', "SELECT * FROM enable_logging('HTTP')"],
  ['SQL as text', "SELECT * FROM query('COPY (SELECT 1) TO ''x''')"],
  ['a table by a text', "SELECT * FROM query_table('duckdb_settings')"],
  ['SQL as JSON', "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))"],
  ['the paths of views', 'SELECT sql FROM duckdb_views()'],
  ['the tables of the session', 'SHOW ALL TABLES'],
  ['a checkpoint', 'SELECT * FROM force_checkpoint()'],
  ['waiting', 'SELECT sleep_ms(100000)'],
  ['writing to the log', "SELECT write_log('x')"],
  ['a sequence', "SELECT nextval('s')"],
  ['a function in ORDER BY', "SELECT 1 ORDER BY (SELECT count(*) FROM read_text('/etc/passwd'))"],
  ['a function in LIMIT', "SELECT 1 LIMIT (SELECT count(*) FROM read_text('/etc/passwd'))"],
  ['a function in a window', "SELECT sum(1) OVER (ORDER BY current_setting('x'))"],
  ['a function in a filter', "SELECT count(*) FILTER (current_setting('x') = '')"],
  ['a function in a lambda', "SELECT list_transform([1], lambda x: current_setting('x'))"],
  ['a function in VALUES', "VALUES (current_setting('x'))"],
  ['a function in a CASE', "SELECT CASE WHEN true THEN current_setting('x') END"],
  ['a function in a cast', "SELECT current_setting('x')::varchar"],
  ['a function in DESCRIBE', "DESCRIBE SELECT * FROM read_csv('/etc/passwd')"],
  ['a function in SUMMARIZE', "SUMMARIZE SELECT * FROM read_csv('/etc/passwd')"],
  ['a function in EXPLAIN', "EXPLAIN SELECT * FROM read_csv('/etc/passwd')"],
  ['running in EXPLAIN', "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x'"],
  ['a parameter', 'SELECT $1'],
]

describe('a statement is refused, exit 2', () => {
  it.each(hostile)('%s: %s', async (_, sql) => {
    await expect(judged(sql)).rejects.toMatchObject({ code: 'usage' })
  })

  // Such a name is looked up in the catalog, and is no table of it; nowhere else.
  it.each([
    ["SELECT * FROM '/etc/passwd'", '/etc/passwd'],
    ['SELECT * FROM "/tmp/x.parquet"', '/tmp/x.parquet'],
    ["FROM 's3://lake/secret.parquet'", 's3://lake/secret.parquet'],
    ['SELECT * FROM information_schema.tables', 'information_schema.tables'],
    ['SELECT * FROM duckdb_logs', 'duckdb_logs'],
    ['SELECT * FROM duckdb_views, sqlite_master', 'duckdb_views'],
    ['SELECT * FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views) a, duckdb_views', 'duckdb_views'],
    ['WITH duckdb_views AS (FROM duckdb_views) FROM duckdb_views', 'duckdb_views'],
    ['WITH a AS (FROM duckdb_views), duckdb_views AS (SELECT 1) FROM a', 'duckdb_views'],
  ])('what the engine would find under a name is not reached: %s', async (sql, name) => {
    const { tables } = await judged(sql)
    expect(tables.map(({ parts }) => parts.join('.'))).toContain(name)
  })

  it.each([
    'SELECT 1',
    "select count(*), sum(a) over (order by b) from web_logs where a in (1, 2) and b like 'x%' group by all;",
    'WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b JOIN a USING (x)',
    'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t',
    'FROM default.web_logs SELECT [1, 2], {a: 1}, MAP {1: 2}, x.y, CASE WHEN true THEN 1 END, list_transform([1], lambda x: x + 1)',
    "SELECT date_trunc('day', ts), ts::date, extract(hour FROM ts), ts - INTERVAL 1 DAY, CAST(x AS DECIMAL(9, 2)) FROM default.web_logs",
    'DESCRIBE web_logs',
    'SUMMARIZE default.web_logs',
    'SELECT * FROM range(3), unnest([1, 2]) u(x), (VALUES (1), (2)) v(y)',
    'SELECT * EXCLUDE (a) REPLACE (b + 1 AS b) FROM web_logs QUALIFY row_number() OVER () = 1',
    'SELECT a FROM web_logs EXCEPT SELECT b FROM web_logs ORDER BY 1 LIMIT 3 OFFSET 1',
    "explain SELECT quantile_cont(a, 0.5), approx_count_distinct(b), string_agg(c, ',') FROM web_logs",
    "SELECT json_extract(a, '$.x'), a->>'x', regexp_replace(b, 'x', 'y'), printf('%d', 1) FROM web_logs",
    'SELECT not a, -b, a || b, a ~ b, a SIMILAR TO b, a BETWEEN 1 AND 2, a IS DISTINCT FROM b, a ILIKE b FROM web_logs',
  ])('but not %s', async (sql) => {
    const { tables } = await judged(sql)
    for (const { parts } of tables) expect(parts.at(-1)).toBe('web_logs')
  })

  it('an empty text, and one that is cut', async () => {
    await expect(judged(' -- nothing\n ;')).rejects.toThrow('there is no statement')
    await expect(judged('SELECT (1')).rejects.toThrow('the SQL cannot be parsed')
  })
})

describe('a session that is locked refuses what no judge has seen', () => {
  let folder: string
  let locked: Awaited<ReturnType<typeof openSession>>
  const secret = 'hunter2-is-the-secret'
  const request = (): QueryRequest => ({
    sql: '',
    explain: false,
    notes: [],
    format: 'csv',
    width: undefined,
    steps: [{ kind: 'sql', sql: 'CREATE VIEW web_logs AS SELECT 1 AS a' }],
    paths: [],
    threads: 1,
    memoryLimit: 2 ** 28,
    spill: folder,
    store: undefined,
  })
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sql-locked-'))
    await writeFile(join(folder, 'secret.csv'), `a\n${secret}\n`)
    locked = await openSession()
    await prepare(locked.connection, request())
  })
  afterAll(async () => {
    locked.close()
    await rm(folder, { recursive: true })
  })

  it.each([
    (f: string) => `SELECT * FROM read_csv('${f}/secret.csv')`,
    (f: string) => `SELECT * FROM '${f}/secret.csv'`,
    (f: string) => `SELECT * FROM read_text('${f}/secret.csv')`,
    (f: string) => `SELECT * FROM glob('${f}/*')`,
    (f: string) => `COPY (SELECT 1) TO '${f}/out.csv'`,
    () => "ATTACH '/tmp/x.db' AS x",
    () => 'SET enable_external_access = true',
    () => 'RESET enable_external_access',
    () => "SET allowed_paths = ['/etc/passwd']",
    () => 'SET lock_configuration = false',
    () => 'INSTALL httpfs',
    () => "LOAD '/tmp/x.duckdb_extension'",
    () => "SELECT getenv('PATH')",
    () => 'INSERT INTO web_logs VALUES (1)',
    () => 'SELECT 1; SELECT 2',
  ])('%#', async (sqlOf) => {
    const written: string[] = []
    const sink = { write: (text: string) => Promise.resolve(void written.push(text)), isGone: () => false }
    const failure = query(locked.connection, { ...request(), sql: sqlOf(folder) }, sink)
    await expect(failure).rejects.toThrow()
    expect(written.join('')).not.toContain(secret)
  })
})
