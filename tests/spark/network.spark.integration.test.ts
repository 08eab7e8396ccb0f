import { afterAll, beforeAll, describe, it, jest } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSparkBench, type SparkBench } from './bench.ts'
import { startProxy, type Proxy } from './proxy.ts'

jest.setTimeout(600_000)

describe('the network between a job and its Spark', () => {
  let bench: SparkBench
  let proxy: Proxy
  const address = (): string => `sc://127.0.0.1:${proxy.port}`
  beforeAll(async () => {
    bench = await createSparkBench()
    proxy = await startProxy()
  })
  afterAll(async () => {
    proxy.stop()
    await bench.remove()
  })

  it('is cut, twice, and away for a while: the job goes on where it was, by --stall-timeout 0 however long it takes', async () => {
    const job = await bench.start(address(), '--stall-timeout', '0')
    await job.counting()
    proxy.cut()
    await sleep(300)
    proxy.refuse()
    proxy.cut()
    await sleep(1500)
    proxy.accept()
    await job.right()
  })

  it('falls silent without a word: the job notices, and goes on', async () => {
    const job = await bench.start(address())
    await job.counting()
    proxy.freeze()
    await job.right()
  })

  it('stays away: one line after --stall-timeout, nothing is published, and a rerun is right', async () => {
    const job = await bench.start(address(), '--stall-timeout', '2s')
    await job.counting()
    proxy.refuse()
    proxy.cut()
    await job.failedBy(/^Spark: nothing answers at sc:\/\/127\.0\.0\.1:\d+: [^\n]*$/)
    proxy.accept()
    await (await bench.start(address())).right()
  })
})
