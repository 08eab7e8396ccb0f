import { describe, expect, it } from '@jest/globals'
import { setImmediate } from 'node:timers/promises'
import { scanLog } from '../../../jobs/aggregate/log/scan-log.ts'
import type { Reject } from '../../../jobs/aggregate/log/reject.ts'
import { listCounts } from './scan.ts'

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await setImmediate()
    yield Buffer.from(text)
  }
}

describe('scanLog', () => {
  it('gives totals, counts and the rejects of each chunk in order', async () => {
    const batches: number[][] = []
    const take = async (rejects: readonly Reject[]): Promise<void> => {
      await setImmediate()
      batches.push(rejects.map(({ line }) => line))
    }
    const chunks = chunksOf('x\ny\nz', '\na,READ,2024-09-10 00:00:00\n', 'w')
    const { totals, counts } = await scanLog(chunks, '2024-09-10', take)
    expect(totals).toEqual({ rows: 1, rejects: 4, blankLines: 0, headerLines: 0, otherDayRows: 0 })
    expect(listCounts(counts)).toEqual([['a', 0, 1, 0, 0]])
    expect(batches).toEqual([[1, 2], [3], [5]])
  })

  it('stops with the signal', async () => {
    const controller = new AbortController()
    controller.abort(new Error('stopped'))
    await expect(
      scanLog(chunksOf('x'), '2024-09-10', () => Promise.resolve(), controller.signal),
    ).rejects.toThrow('stopped')
  })
})
