import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSparkBench, type SparkBench } from './bench.ts'
import { startOwnSpark, type OwnSpark } from './own-spark.ts'

jest.setTimeout(600_000)

// Mounting needs Linux and root (operations-spec §5.2).
const mounts = process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0

// In this order, by one Spark: it takes longer to start than a job.
describe("Spark's machines", () => {
  let bench: SparkBench
  let disk: string
  let spark: OwnSpark
  beforeAll(async () => {
    bench = await createSparkBench()
    disk = await mkdtemp(join(tmpdir(), 'lakejobs-spark-disk-'))
    spark = await startOwnSpark(mounts ? disk : undefined)
  })
  afterAll(async () => {
    await spark.stop()
    await bench.remove()
    await rm(disk, { recursive: true })
  })

  it('an executor is killed in the middle: Spark starts another, and the job ends right', async () => {
    const job = await bench.start(spark.address)
    await job.counting()
    expect(spark.killExecutors()).toBeGreaterThan(0)
    await job.right()
  })
  ;(mounts ? it : it.skip)('the disk of a worker is full: one line', async () => {
    await spark.fillDisk()
    const job = await bench.start(spark.address)
    const { stdout } = await job.failedBy(/^Spark: [^\n]*No space left on device[^\n]*$/)
    expect(stdout).toContain('SPARK_LOCAL_DIRS')
    await spark.makeRoom()
  })

  it('the server is started anew: one line, whether it is asked before or after the end of the old one; a rerun is right', async () => {
    const job = await bench.start(spark.address, '--stall-timeout', '5m')
    await job.counting()
    await spark.restart()
    const { stdout } = await job.failedBy(
      /^Spark: (\[INVALID_HANDLE\.\w+\]|[^\n]*stopped SparkContext)[^\n]*$/,
    )
    expect(stdout).toContain('run again: the server was stopped or started anew')
    await (await bench.start(spark.address)).right()
  })
})
