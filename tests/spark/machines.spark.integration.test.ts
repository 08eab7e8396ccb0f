import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSparkBench, type SparkBench } from './bench.ts'
import { startOwnSpark, type OwnSpark } from './own-spark.ts'

jest.setTimeout(600_000)

describe("Spark's machines", () => {
  let bench: SparkBench
  let spark: OwnSpark | undefined
  beforeAll(async () => {
    bench = await createSparkBench()
  })
  afterEach(async () => {
    await spark?.stop()
    spark = undefined
  })
  afterAll(() => bench.remove())

  it('an executor is killed in the middle: Spark starts another, and the job ends right; a server that is started anew ends the job in one line, and a rerun is right', async () => {
    spark = await startOwnSpark()
    const killed = await bench.start(spark.address)
    await killed.counting()
    expect(spark.killExecutors()).toBeGreaterThan(0)
    await killed.right()

    const orphaned = await bench.start(spark.address, '--stall-timeout', '5m')
    await orphaned.counting()
    await spark.restart()
    // Whether it asks before or after the end of the old one.
    const { stdout } = await orphaned.failedBy(
      /^Spark: (\[INVALID_HANDLE\.\w+\]|[^\n]*stopped SparkContext)[^\n]*$/,
    )
    expect(stdout).toContain('run again: the server was stopped or started anew')
    await (await bench.start(spark.address)).right()
  })

  // Mounting needs Linux and root (operations-spec §5.2).
  const mounts = process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0
  ;(mounts ? it : it.skip)(
    'the disk of a worker is full: one line, and with room a rerun is right',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lakejobs-spark-disk-'))
      try {
        spark = await startOwnSpark({ scratch: { folder, megabytes: 2 } })
        const job = await bench.start(spark.address)
        const { stdout } = await job.failedBy(/^Spark: [^\n]*No space left on device[^\n]*$/)
        expect(stdout).toContain('SPARK_LOCAL_DIRS')
        await spark.makeRoom()
        await (await bench.start(spark.address)).right()
      } finally {
        await spark?.stop()
        spark = undefined
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})
