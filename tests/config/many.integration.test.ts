import { beforeEach, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { start, summaryOf } from '../support/cli.ts'

const { place } = eachWithDatabase()
const tables = 500

beforeEach(async () => {
  await place.query(`CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..${tables} LOOP
    EXECUTE format('CREATE TABLE many.t_%s (id int)', lpad(i::text, 3, '0'));
    EXECUTE format('INSERT INTO many.t_%s VALUES (1)', lpad(i::text, 3, '0'));
  END LOOP; END $$`)
  // Its text depends on the session: it cannot be exported.
  await place.query('ALTER TABLE many.t_250 ADD amount money')
  await writeFile(join(place.cwd, 'lakejobs.yaml'), 'version: 1\ntables: { many.*: {} }\n')
}, 60_000)

it('500 tables in one call are read under one snapshot, and one that cannot be exported fails alone', async () => {
  const { ended } = start(['export', '--connections', '1'], { cwd: place.cwd, env: place.env })
  const isBegun = async (): Promise<boolean> => {
    const [row] = await place.query(
      `SELECT to_regclass('iceberg_tables') IS NOT NULL AND EXISTS (SELECT FROM pg_locks WHERE relation = 'many.t_500'::regclass) AS begun`,
    )
    return row?.['begun'] === true
  }
  while (!(await isBegun())) await setTimeout(20)
  const locked = async (): Promise<number> => {
    const [row] = await place.query(
      `SELECT count(DISTINCT relation)::int AS n FROM pg_locks JOIN pg_class ON relation = pg_class.oid WHERE relname LIKE 't\\_%'`,
    )
    return Number(row?.['n'])
  }
  await place.query('INSERT INTO many.t_500 VALUES (2)')
  const held = await locked()
  const ran = await ended
  expect(ran.exit).toBe(3)
  const { rows, tables: shown = [], tablesMore = 0 } = summaryOf(ran)
  expect(shown.length + tablesMore).toBe(tables)
  // What came while it read is not in it.
  expect(rows).toBe(tables - 1)
  expect(held).toBe(tables)
  const [kept] = await place.query(
    `SELECT count(*)::int AS n, count(*) FILTER (WHERE table_name = 't_250')::int AS bad FROM iceberg_tables`,
  )
  expect(kept).toEqual({ n: tables - 1, bad: 0 })
}, 600_000)
