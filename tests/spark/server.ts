import { parseRemote, type Remote } from '../../jobs/spark/remote.ts'

/** The Spark Connect server of the part `spark`, which scripts/test has started. */
export function testRemote(): Remote {
  const address = process.env['LAKEJOBS_TEST_SPARK']
  if (address === undefined)
    throw new Error(
      'LAKEJOBS_TEST_SPARK is not set: run scripts/spark, and set it to what that says of SPARK_REMOTE',
    )
  return parseRemote(address)
}
