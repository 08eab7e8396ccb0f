import type { ServiceError } from '@grpc/grpc-js'
import { JobError } from '../errors.ts'
import type { ErrorInfo, Messages } from './messages.ts'

/** The numbers of gRPC's status codes that decide what is done (https://grpc.io/docs/guides/status-codes). */
const [permissionDenied, internal, unavailable, unauthenticated] = [7, 13, 14, 16]

const codeOf = ({ code }: ServiceError): number => code

export const isServiceError = (thrown: unknown): thrown is ServiceError =>
  thrown instanceof Error && 'details' in thrown && 'metadata' in thrown

/** Spark's error class, such as PATH_NOT_FOUND or INVALID_HANDLE.SESSION_CHANGED, where the failure carries one. */
export function errorClassOf(error: ServiceError, messages: Messages): string | undefined {
  const [, written] = /^(?:\([\w.$]+\) )?\[([A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]/.exec(error.details) ?? []
  return written ?? infoOf(error, messages)?.metadata?.['errorClass']
}

/** The connection was lost, or the server lost sight of it: the operation itself may go on. */
export const isDisconnected = (error: ServiceError, messages: Messages): boolean =>
  codeOf(error) === unavailable ||
  (codeOf(error) === internal &&
    (/RST_STREAM|ECONNRESET|Connection dropped/i.test(error.details) ||
      errorClassOf(error, messages) === 'INVALID_CURSOR.DISCONNECTED'))

/** What Spark said, in one line: its error class and the first line of its message. `remote` is named where nothing answers. */
export function sparkFailure(error: ServiceError, remote: string, messages: Messages): JobError {
  const errorClass = errorClassOf(error, messages)
  const fix = fixFor(error, errorClass)
  if (codeOf(error) === unavailable && errorClass === undefined)
    return new JobError(
      'failed',
      `Spark: nothing answers at ${remote}: ${firstLine(error.details).replace(/ Resolution note:.*$/, '')}`,
      {
        field: 'SPARK_REMOTE',
        fix: 'start Spark (scripts/spark, or docker compose --profile spark up -d), or correct SPARK_REMOTE',
        cause: error,
      },
    )
  const reason = infoOf(error, messages)?.reason?.split('.').at(-1)
  const said = firstLine(error.details)
  const name = errorClass ?? reason
  const text = name === undefined || said.includes(`[${name}]`) ? said : `[${name}] ${said}`
  return new JobError('failed', `Spark: ${text}`, { cause: error, ...fix })
}

function fixFor(
  error: ServiceError,
  errorClass: string | undefined,
): { readonly field?: string; readonly fix: string } | undefined {
  if (errorClass === 'PATH_NOT_FOUND')
    return {
      field: 'SPARK_PATH_MAP',
      fix: 'share the folder with all of Spark under this path, or say where it is there: SPARK_PATH_MAP=/here=/there',
    }
  if (errorClass?.startsWith('INVALID_HANDLE.') === true || error.details.includes('stopped SparkContext'))
    return { fix: 'run again: the server was stopped or started anew, or had ended the session' }
  if (errorClass === 'TASK_WRITE_FAILED')
    return { fix: 'see that Spark may write there, and that the disk has room; then run again' }
  if (error.details.includes('No space left on device'))
    return { fix: "make room on the disks of Spark's machines (SPARK_LOCAL_DIRS), then run again" }
  if ([permissionDenied, unauthenticated].includes(codeOf(error)))
    return { field: 'SPARK_REMOTE', fix: 'give a token that the server takes: sc://host:443/;token=…' }
  return undefined
}

const firstLine = (text: string): string =>
  text
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim() ?? 'no message'

/** google.rpc.ErrorInfo of the failure, which Spark sends with each (ErrorUtils.scala). */
function infoOf(error: ServiceError, { status, errorInfo }: Messages): ErrorInfo | undefined {
  const [bytes] = error.metadata.get('grpc-status-details-bin')
  if (!Buffer.isBuffer(bytes)) return undefined
  const detail = status(bytes).details?.find(({ type_url }) => type_url.endsWith('google.rpc.ErrorInfo'))
  return detail === undefined ? undefined : errorInfo(detail.value)
}
