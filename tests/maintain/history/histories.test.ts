import { expect, it } from '@jest/globals'
import { appendFileSync } from 'node:fs'
import { openForeignReaders } from './foreign-readers.ts'
import { openHistory } from './history.ts'

/** `scripts/campaign maintain` sets these; without, short histories show that it works. */
const given = process.env['CAMPAIGN_MAINTAIN_SEED']
const seeds = given === undefined ? [2, 3] : [Number(given)]
const steps = Number(process.env['CAMPAIGN_MAINTAIN_STEPS'] ?? '40')
const python = process.env['CAMPAIGN_MAINTAIN_PYTHON']
const report = process.env['CAMPAIGN_REPORT']
const everyoneEach = 10

it.each(seeds)(
  'after each step of a random history every snapshot reads as it was made: seed %i',
  async (seed) => {
    const readers = python === undefined ? undefined : openForeignReaders(python)
    const history = await openHistory(seed, readers)
    try {
      for (let step = 1; step <= steps; step++) {
        const done = await history.step().catch((error: unknown) => {
          throw new Error(`seed ${seed}, step ${step}: ${String(error)}`, { cause: error })
        })
        if (report !== undefined) appendFileSync(report, `${step}: ${done}\n`)
        expect([step, done, await history.faults(step % everyoneEach === 0)]).toEqual([step, done, []])
      }
      expect(await history.end()).toEqual([])
      expect(await history.faults(true)).toEqual([])
    } finally {
      await history.close()
      await readers?.close()
    }
  },
  60_000 + 20_000 * steps,
)
