import { expect, it } from '@jest/globals'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import { addDays, windowOf } from '../../jobs/calendar.ts'
import { createRandom } from '../../jobs/random.ts'
import { reportSchema, type Report } from '../../jobs/report/schema.ts'
import { eachWithLake } from './lake-with-database.ts'

const { place, ok } = eachWithLake()
const report = async (...words: readonly string[]): Promise<Report> =>
  v.parse(v.strictObject(reportSchema.entries), JSON.parse((await ok('report', '--json', ...words)).stdout))
const sql = async (query: string): Promise<Record<string, string>[]> =>
  JSON.parse((await ok('sql', '--json', query)).stdout) as Record<string, string>[]

const last = '2024-09-16'
const actions = ['create', 'read', 'update', 'delete'] as const
type Crud = NonNullable<Report['crud']>

/** The report's part of what users did, after a look at the logs by SQL: each day, both weeks, each user. */
async function crudAsSqlSays(missing: readonly string[]): Promise<Crud> {
  const crud = (await report(last, '--full-emails')).crud!
  const rows = await sql(
    'select day::varchar as day, lower(action) as action, count(*)::integer as rows from crud_logs group by 1, 2',
  )
  const of = (day: string, action: string): number =>
    Number(rows.find((row) => row['day'] === day && row['action'] === action)?.['rows'] ?? 0)
  expect(crud.days.map(({ day, state }) => [day, state])).toEqual(
    windowOf(last, 14).map((day) => [day, missing.includes(day) ? 'missing' : 'counted']),
  )
  for (const day of crud.days.filter(({ state }) => state === 'counted'))
    expect(day).toMatchObject(Object.fromEntries(actions.map((action) => [action, of(day.day, action)])))
  const week = (first: number): Record<string, number> =>
    Object.fromEntries(
      actions.map((action) => [
        action,
        windowOf(addDays(last, first), 7).reduce((sum, day) => sum + of(day, action), 0),
      ]),
    )
  expect([crud.total, crud.before]).toEqual([week(0), week(-7)])
  const top = await sql(
    `select email, count(*) filter (action = 'CREATE')::integer as create, count(*) filter (action = 'READ')::integer as read,
       count(*) filter (action = 'UPDATE')::integer as update, count(*) filter (action = 'DELETE')::integer as delete
     from crud_logs where day > '2024-09-09' group by email order by count(*) desc, email limit 20`,
  )
  expect(crud.top).toEqual(
    top.map((user) => ({
      ...user,
      ...Object.fromEntries(actions.map((action) => [action, Number(user[action])])),
    })),
  )
  const [users] = await sql(
    `select count(distinct email)::integer as n from crud_logs where day > '2024-09-09'`,
  )
  expect(crud.users).toBe(Number(users!['n']))
  return crud
}

it('what users did is what SQL says of the logs: dirty days, a missing day, both weeks', async () => {
  await ok('generate', 'data/crud/input', addDays(last, -13), '14', '30', '200', '--seed', '5')
  const log = (day: string): string => `${place.cwd}/data/crud/input/${day}.csv`
  await rm(log('2024-09-12'))
  for (const day of ['2024-09-08', '2024-09-14'])
    await appendFile(log(day), '\nb@x.com,CREATE,2024-13-01 00:00:00\ngarbage\nb@x.com,READ,nonsense\n')
  await ok('aggregate', addDays(last, -7))
  await ok('aggregate', last)
  const crud = await crudAsSqlSays(['2024-09-12'])
  const { rejects } = await report(last, '--full-emails')
  expect(rejects).toEqual([
    {
      ...{ day: '2024-09-14', lines: 3 },
      reasons: [
        { reason: 'bad timestamp', lines: 2, line: 201, raw: 'b@x.com,CREATE,2024-13-01 00:00:00' },
        { reason: 'wrong field count', lines: 1, line: 202, raw: 'garbage' },
      ],
    },
  ])
  // Without a word addresses are masked, in every part of page and numbers.
  await ok('report', last, '--output', 'page/')
  for (const ending of ['html', 'json']) {
    const text = await readFile(`${place.cwd}/page/${last}.${ending}`, 'utf8')
    for (const { email } of crud.top) expect(text).not.toContain(email)
    expect(text).not.toContain('b@x.com')
  }
})

it.each([
  ['one user', 1, 1],
  ['random weeks of a few', 2, 4],
  ['random weeks of many', 3, 60],
  ['random weeks, other ones', 4, 25],
])('what users did is what SQL says of the logs: %s', async (_, seed, users) => {
  const { below } = createRandom(seed, 'report')
  const missing: string[] = []
  await mkdir(`${place.cwd}/data/crud/input`, { recursive: true })
  for (const day of windowOf(last, 14)) {
    // A window's last day is there, an earlier one may not be, or may hold nothing.
    if (day !== last && day !== addDays(last, -7) && below(6) === 0) {
      missing.push(day)
      continue
    }
    const lines = Array.from({ length: below(5) === 0 ? 0 : below(300) }, () =>
      below(100) === 0
        ? 'no row'
        : `u${below(users)}@x.com,${actions[below(4)]!.toUpperCase()},${day} ${String(below(24)).padStart(2, '0')}:00:00`,
    )
    await writeFile(`${place.cwd}/data/crud/input/${day}.csv`, lines.join('\n'))
  }
  await ok('aggregate', addDays(last, -7))
  await ok('aggregate', last)
  await crudAsSqlSays(missing)
})

it('a day whose counts are not cached any more is unknown, and the weeks are those of the results', async () => {
  await ok('generate', 'data/crud/input', addDays(last, -13), '14', '3', '50')
  await ok('aggregate', addDays(last, -7))
  await ok('aggregate', last)
  const before = (await report(last)).crud!
  for (const day of ['2024-09-05', '2024-09-15'])
    await rm(`${place.cwd}/data/crud/cache/${day}`, { recursive: true })
  const { crud } = await report(last)
  expect(crud!.days.filter(({ state }) => state === 'unknown').map(({ day }) => day)).toEqual([
    '2024-09-05',
    '2024-09-15',
  ])
  expect([crud!.total, crud!.before, crud!.top]).toEqual([before.total, before.before, before.top])
})

it('the week before is that of its result, though a log of it has changed and was counted since', async () => {
  await ok('generate', 'data/crud/input', addDays(last, -13), '14', '3', '50')
  await ok('aggregate', addDays(last, -7))
  await ok('aggregate', last)
  const before = (await report(last)).crud!
  await appendFile(`${place.cwd}/data/crud/input/2024-09-05.csv`, '\nnew@x.com,CREATE,2024-09-05 00:00:00\n')
  await ok('aggregate', '2024-09-05', '--days', '1')
  const { crud } = await report(last)
  expect([crud!.days, crud!.before]).toEqual([before.days, before.before])
})

it('requests are what SQL says of the source: by hour and class, and exact percentiles by url', async () => {
  await place.query(`CREATE TABLE web_logs AS SELECT
      CASE WHEN i % 97 = 0 THEN NULL ELSE '/p/' || (i * i % 23) END AS url,
      CASE WHEN i % 89 = 0 THEN NULL ELSE (ARRAY[200, 200, 304, 404, 503, 42])[1 + i % 6] END AS status_code,
      CASE WHEN i % 83 = 0 THEN NULL ELSE (i * 7919) % 1009 END AS response_time,
      timestamptz '2024-09-08 00:00+00' + i * interval '211 seconds' AS timestamp
    FROM generate_series(0, 4000) i`)
  // A percentile that lies between no two values, and the ends of the week.
  await place.query(`INSERT INTO web_logs
    SELECT '/exact', 200, i, timestamptz '2024-09-12 12:00+00' FROM generate_series(1, 400) i UNION ALL
    SELECT '/ends', 200, 1, unnest(ARRAY['2024-09-09 23:59:59.999999+00', '2024-09-10 00:00+00',
      '2024-09-16 23:59:59.999999+00', '2024-09-17 00:00+00']::timestamptz[])`)
  await ok('export', '--table', 'public.web_logs')
  const { requests } = await report('2024-09-16')
  const within = `timestamp >= '2024-09-10 00:00+00' AND timestamp < '2024-09-17 00:00+00'`
  const hours = await place.query(
    `SELECT to_char(date_trunc('hour', timestamp AT TIME ZONE 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS.000Z') AS hour, count(*)::integer AS requests
     FROM web_logs WHERE ${within} GROUP BY 1 ORDER BY 1`,
  )
  expect(requests!.hours).toEqual(hours)
  const classes = await place.query(
    `SELECT class, count(*)::integer AS requests FROM (
       SELECT CASE WHEN status_code BETWEEN 100 AND 599 THEN status_code / 100 || 'xx' ELSE 'other' END AS class
       FROM web_logs WHERE ${within}) classed GROUP BY class ORDER BY class = 'other', class`,
  )
  expect(requests!.classes).toEqual(classes)
  const percentile = (share: number): string =>
    `percentile_disc(${share}) WITHIN GROUP (ORDER BY response_time)`
  const urls = await place.query(
    `SELECT url, count(*)::integer AS requests, ${percentile(0.5)} AS p50, ${percentile(0.95)} AS p95, ${percentile(0.99)} AS p99
     FROM web_logs WHERE url IS NOT NULL AND ${within} GROUP BY url ORDER BY count(*) DESC, url COLLATE "C" LIMIT 10`,
  )
  expect(requests!.urls).toEqual(urls)
  expect(requests!.total).toBe(hours.reduce((sum, row) => sum + Number(row['requests']), 0))
})
