import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { demoTableSql } from '../../jobs/postgres/demo-table.ts'

it('is made as scripts/db/init.sql says', () => {
  const file = readFileSync(join(import.meta.dirname, '../../scripts/db/init.sql'), 'utf8')
  expect(file.replaceAll(/^--.*\n/gm, '')).toBe(demoTableSql)
})
