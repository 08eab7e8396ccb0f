import { describe, expect, it } from '@jest/globals'
import pino from 'pino'
import { JobError, usageError } from '../../jobs/errors.ts'
import { init, type InitPart } from '../../jobs/init/init.ts'
import { outcomeOf } from '../../jobs/summary.ts'

const logged: string[] = []
const logger = pino({}, { write: (line: string) => logged.push(line) })
const run = (parts: readonly InitPart[], signal = new AbortController().signal) =>
  init(parts, { logger, signal })
const good: InitPart = { item: 'a', make: () => Promise.resolve([{ item: 'a', state: 'made' }]) }
const failing = (item: string, error: Error): InitPart => ({ item, make: () => Promise.reject(error) })

describe('init', () => {
  it('makes what it can, throws the failure that decides, logs the others', async () => {
    const away = new JobError('failed', 'the store is away', { field: 'S3_ENDPOINT', fix: 'start it' })
    const parts = [failing('store', away), failing('catalog', usageError('no user', { fix: 'set it' })), good]
    const thrown: unknown = await run(parts).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'usage', message: 'no user', fix: 'set it' })
    expect(outcomeOf(thrown).items).toEqual([
      { item: 'store', state: 'failed', note: 'the store is away: start it' },
      { item: 'catalog', state: 'failed', note: 'no user: set it' },
      { item: 'a', state: 'made' },
    ])
    expect(logged.join('')).toMatch(/the store is away/)
    expect(logged.join('')).not.toMatch(/no user/)
  })

  it('stops between two parts', async () => {
    const stop = new AbortController()
    const first = {
      item: 'b',
      make: () => {
        stop.abort(new Error('stopped'))
        return Promise.resolve([])
      },
    }
    await expect(run([first, failing('c', new Error('reached'))], stop.signal)).rejects.toThrow('stopped')
  })
})
