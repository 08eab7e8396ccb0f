import { describe, expect, it } from '@jest/globals'
import { toJsonSchema } from '@valibot/to-json-schema'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { JobError } from '../jobs/errors.ts'
import { capLists, outcomeOf, summarySchema, withOutcome } from '../jobs/summary.ts'

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

describe('withOutcome', () => {
  it('keeps code, field and fix of the failure, and what was done before it', () => {
    const failure = new JobError('data', 'bad', { field: 'f', fix: 'mend it' })
    const carrying = withOutcome(failure, { rows: 5 })
    expect(carrying).toMatchObject({
      code: 'data',
      message: 'bad',
      field: 'f',
      fix: 'mend it',
      cause: failure,
    })
    expect(outcomeOf(carrying)).toEqual({ rows: 5 })
    expect(withOutcome(new Error('x'), {})).toMatchObject({ code: 'failed', message: 'x' })
    expect(outcomeOf(new Error('x'))).toEqual({})
  })
})

describe('docs/schemas/summary.schema.json', () => {
  const path = join(import.meta.dirname, '../docs/schemas/summary.schema.json')

  it('is what jobs/summary.ts says (UPDATE_SCHEMA=1 writes it anew)', () => {
    const schema = { title: 'The line that a lakejobs command prints', ...toJsonSchema(summarySchema) }
    const text = `${JSON.stringify(schema, null, 2)}\n`
    if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(path, text)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })
})
