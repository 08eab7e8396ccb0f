import { describe, expect, it } from '@jest/globals'
import pino from 'pino'
import { runChecks, type Check } from '../../jobs/check/check.ts'
import { JobError, usageError } from '../../jobs/errors.ts'
import { outcomeOf } from '../../jobs/summary.ts'

const logged: string[] = []
const logger = pino({}, { write: (line: string) => logged.push(line) })
let time = 0
const run = (...checks: Check[]) =>
  runChecks(checks, { logger, signal: new AbortController().signal, now: () => new Date((time += 5)) })
const ok =
  (name: string): Check =>
  async (attempt) => {
    await attempt(name, () => Promise.resolve('fine'))
  }
const failing =
  (name: string, error: Error): Check =>
  async (attempt) => {
    if (await attempt(name, () => Promise.reject(error))) throw new Error('went on')
  }

describe('runChecks', () => {
  it('tells what each check found and how long it took', async () => {
    expect(await run(ok('a'), ok('b'))).toEqual({
      checks: [
        { check: 'a', status: 'ok', milliseconds: expect.any(Number) as unknown, detail: 'fine' },
        { check: 'b', status: 'ok', milliseconds: expect.any(Number) as unknown, detail: 'fine' },
      ],
    })
    expect((await run(ok('a'))).checks?.[0]?.milliseconds).toBe(5)
  })

  it('lists every failure with its fix, first, and throws the one that decides', async () => {
    const away = new JobError('failed', 'away', { field: 'S3_ENDPOINT', fix: 'start it' })
    const thrown: unknown = await run(
      ok('a'),
      failing('store', away),
      failing('catalog', usageError('wrong', { field: 'X', fix: 'mend it' })),
    ).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'usage', message: 'wrong', fix: 'mend it' })
    expect(outcomeOf(thrown).checks).toMatchObject([
      { check: 'store', status: 'failed', detail: 'away', field: 'S3_ENDPOINT', fix: 'start it' },
      { check: 'catalog', status: 'failed', detail: 'wrong', field: 'X', fix: 'mend it' },
      { check: 'a', status: 'ok' },
    ])
    expect(logged.join('')).toContain('away')
  })

  it('lists warnings with what mends them behind failures, logs them, and fails for none', async () => {
    const warning = { check: 'maintenance of t', detail: 'too many files', fix: 'compact it' }
    const warns: Check = (_, warn) => {
      warn(warning)
      return Promise.resolve()
    }
    const listed = { ...warning, status: 'warning', milliseconds: 0 }
    expect((await run(ok('a'), warns)).checks).toMatchObject([listed, { check: 'a' }])
    expect(logged.join('')).toContain('maintenance of t: too many files: compact it')
    const thrown: unknown = await run(warns, failing('b', usageError('wrong', { field: 'X' }))).catch(
      (error: unknown) => error,
    )
    expect(outcomeOf(thrown).checks).toMatchObject([{ check: 'b', status: 'failed' }, listed])
  })
})
