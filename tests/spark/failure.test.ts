import { describe, expect, it } from '@jest/globals'
import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import { sparkFailure } from '../../jobs/spark/failure.ts'
import { loadMessages } from '../../jobs/spark/messages.ts'

const said = (details: string): ServiceError =>
  Object.assign(new Error(details), { code: status.INTERNAL, details, metadata: new Metadata() })

// As Spark 4.0 words them; that they are sent so is seen where a disk is full (docs/operations.md).
describe("a failure of Spark's", () => {
  it.each([
    [
      'a folder that cannot be written',
      '[TASK_WRITE_FAILED] Task failed while writing rows to file:/cache/x. SQLSTATE: 58030',
      'see that Spark may write there, and that the disk has room; then run again',
    ],
    [
      'a full disk of the worker',
      'Job aborted due to stage failure: java.io.IOException: No space left on device',
      "make room on the disks of Spark's machines (SPARK_LOCAL_DIRS), then run again",
    ],
    [
      'a session that has ended',
      '[INVALID_HANDLE.SESSION_NOT_FOUND] The handle is invalid. SQLSTATE: HY000',
      'run again: the server was stopped or started anew, or had ended the session',
    ],
    [
      'a server that is being stopped',
      'Cannot call methods on a stopped SparkContext.',
      'run again: the server was stopped or started anew, or had ended the session',
    ],
    ['anything else', '[DIVIDE_BY_ZERO] Division by zero.', undefined],
  ])('%s: one line, and what to do', async (_, details, fix) => {
    const error = sparkFailure(said(`${details}\nmore lines`), 'sc://host', await loadMessages())
    expect(error).toMatchObject({ code: 'failed', message: `Spark: ${details}` })
    expect(error.fix).toBe(fix)
  })
})
