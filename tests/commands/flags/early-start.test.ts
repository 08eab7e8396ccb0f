import { describe, expect, it } from '@jest/globals'
import { startEarly, type EarlyStart } from '../../../jobs/commands/flags/early-start.ts'
import type { ReaderThread } from '../../../jobs/export/read/thread.ts'
import { keptReader } from '../../../jobs/postgres/kept-reader.ts'
import type { SourceConnection } from '../../../jobs/postgres/snapshot.ts'

interface Seen {
  readonly early: EarlyStart
  readonly events: string[]
}

/** What happened, in order; `estimates` are the tables': a number of rows, unknown, or not found. */
function start(estimates: readonly (number | undefined | Error)[], failure?: Error, readers = 3): Seen {
  const events: string[] = []
  let connections = 0
  const connect = async (): Promise<SourceConnection> => {
    const name = `connection ${++connections}`
    events.push(name)
    await new Promise(setImmediate)
    if (failure !== undefined) throw failure
    const close = (): Promise<void> => Promise.resolve(void events.push(`${name} closed`))
    const found = estimates.map((rows) => (rows instanceof Error ? rows : { estimatedRows: rows }))
    return { connection: { close }, found } as unknown as SourceConnection
  }
  const threads = {
    own: keptReader(),
    at: (index: number) => events.push(`thread ${index}`) as unknown as ReaderThread,
    close: () => Promise.resolve(void events.push('threads closed')),
  }
  return { early: startEarly(connect, threads, readers), events }
}

describe('startEarly', () => {
  it.each<[string, (number | undefined | Error)[], string[]]>([
    ['a large table', [10, 50_000], ['thread 1']],
    ['a table of unknown size', [undefined], ['thread 1']],
    ['small tables', [49_999, 0], []],
    ['a missing table', [new Error('there is no table')], []],
  ])('%s', async (_, estimates, threads) => {
    const { early, events } = start(estimates)
    await early.connectSource()
    expect(events).toEqual(['thread 0', 'connection 1', ...threads])
  })

  it.each([
    [10, []],
    [50_000, ['thread 0']],
  ])('leaves a lone processor to the loading: a table of %i rows', async (rows, threads) => {
    const { early, events } = start([rows], undefined, 1)
    await early.connectSource()
    expect(events).toEqual(['connection 1', ...threads])
  })

  it('reads in this thread, too: two connections are one more thread', async () => {
    const { early, events } = start([50_000], undefined, 2)
    await early.connectSource()
    expect(events).toEqual(['thread 0', 'connection 1'])
  })

  it('gives the connection away once; each later attempt has one of its own', async () => {
    const { early, events } = start([10])
    expect(await early.connectSource()).not.toBe(await early.connectSource())
    await early.close()
    expect(events).toEqual(['thread 0', 'connection 1', 'connection 2', 'threads closed'])
  })

  it('leaves nothing behind when the export fails before it takes the connection', async () => {
    const { early, events } = start([undefined])
    await early.close()
    expect(events).toEqual(['thread 0', 'connection 1', 'thread 1', 'connection 1 closed', 'threads closed'])
  })

  it('throws a failure to whoever takes the connection, and to nobody else', async () => {
    await expect(start([10], new Error('refused')).early.connectSource()).rejects.toThrow('refused')
    const { early, events } = start([10], new Error('refused'))
    await early.close()
    expect(events).toEqual(['thread 0', 'connection 1', 'threads closed'])
  })
})
