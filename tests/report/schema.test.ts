import { expect, it } from '@jest/globals'
import { toJsonSchema } from '@valibot/to-json-schema'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reportSchema } from '../../jobs/report/schema.ts'

it('docs/schemas/report.schema.json is what jobs/report/schema.ts says (UPDATE_SCHEMA=1 writes it anew)', () => {
  const path = join(import.meta.dirname, '../../docs/schemas/report.schema.json')
  const schema = { title: 'What lakejobs report --json prints', ...toJsonSchema(reportSchema) }
  const text = `${JSON.stringify(schema, null, 2)}\n`
  if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(path, text)
  expect(readFileSync(path, 'utf8')).toBe(text)
})
