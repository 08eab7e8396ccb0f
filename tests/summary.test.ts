import { describe, expect, it } from '@jest/globals'
import { toJsonSchema } from '@valibot/to-json-schema'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capLists, summarySchema } from '../jobs/summary.ts'

describe('capLists', () => {
  const list = (length: number): string[] => Array.from({ length }, (_, i) => String(i))

  it('cuts lists at 20 and counts the rest', () => {
    expect(capLists({ outputs: list(23), missingDays: list(20), rows: 5 })).toEqual({
      outputs: list(20),
      outputsMore: 3,
      missingDays: list(20),
      rows: 5,
    })
    expect(capLists({})).toEqual({})
  })
})

describe('docs/summary.schema.json', () => {
  const path = join(import.meta.dirname, '../docs/summary.schema.json')

  it('is what jobs/summary.ts says (UPDATE_SCHEMA=1 writes it anew)', () => {
    const schema = { title: 'The line that a lakejobs command prints', ...toJsonSchema(summarySchema) }
    const text = `${JSON.stringify(schema, null, 2)}\n`
    if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(path, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })
})
