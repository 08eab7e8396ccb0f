import { expect, it } from '@jest/globals'
import { toJsonSchema } from '@valibot/to-json-schema'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspectSchema } from '../../jobs/inspect/report-schema.ts'

it('docs/schemas/inspect.schema.json is what jobs/inspect/report-schema.ts says (UPDATE_SCHEMA=1 writes it anew)', () => {
  const path = join(import.meta.dirname, '../../docs/schemas/inspect.schema.json')
  const schema = { title: 'What lakejobs inspect --json prints', ...toJsonSchema(inspectSchema) }
  const text = `${JSON.stringify(schema, null, 2)}\n`
  if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(path, text)
  expect(readFileSync(path, 'utf8')).toBe(text)
})
