import { JobError, asError, systemCode, usageError } from '../errors.ts'
import { FileNotFound } from './errors.ts'

/** Where a request went, for its error message. */
export interface S3Target {
  readonly endpoint: string | undefined
  readonly bucket: string
  /** Missing for requests about the bucket. */
  readonly location?: string
  /** What the environment names of the key begin with. */
  readonly credentials?: 'MINIO_ROOT' | 'AWS'
}

/** What the SDK's exceptions have in common, whichever of its error classes they are. */
export interface S3Failure {
  readonly name: string
  readonly status: number | undefined
  /** Times the SDK sent the request. */
  readonly attempts: number
}

/** Reads the SDK's exception, or any other thrown value. */
export function s3Failure(thrown: unknown): S3Failure {
  const { name, $metadata } = (thrown ?? {}) as {
    readonly name?: string
    readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
  }
  return { name: name ?? 'Error', status: $metadata?.httpStatusCode, attempts: $metadata?.attempts ?? 1 }
}

const wrongKey = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken'])
const away = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EPIPE',
  ],
  ...['TimeoutError', 'RequestTimeout', 'NetworkingError'],
])

const keyNames = {
  MINIO_ROOT: ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD'],
  AWS: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
} as const

/** The bucket does not exist. */
export const noSuchBucket = (bucket: string, cause?: unknown): JobError =>
  usageError(`no such bucket: ${bucket}`, {
    field: `s3://${bucket}`,
    fix: 'Create the bucket, or set S3_CREATE_BUCKET=true so that it is made, or correct its name.',
    cause,
  })

/** A failed request as a `JobError` that names the place and the fix; a missing object as `FileNotFound`. */
export function s3Error(thrown: unknown, { endpoint, bucket, location, credentials }: S3Target): JobError {
  if (thrown instanceof JobError) return thrown
  const error = asError(thrown)
  const { name, status, attempts } = s3Failure(thrown)
  const at = endpoint ?? 'AWS'
  const field = location ?? `s3://${bucket}`
  const details = (fix: string): { field: string; fix: string; cause: unknown } => ({
    field,
    fix,
    cause: thrown,
  })

  if (name === 'NoSuchBucket') return noSuchBucket(bucket, thrown)
  if (name === 'NoSuchKey' || (status === 404 && location !== undefined && name !== 'NoSuchUpload')) {
    return new FileNotFound(field, thrown)
  }
  if (name === 'ExpiredToken') {
    return usageError(
      `${at} refuses the credentials for ${field}: they have expired`,
      details('Renew the credentials (AWS_SESSION_TOKEN, or the role’s), then run again.'),
    )
  }
  if (wrongKey.has(name)) {
    return usageError(`${at} refuses the access key (${name})`, {
      ...details('Correct MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, or the AWS credentials.'),
      ...(credentials && { field: keyNames[credentials][name === 'SignatureDoesNotMatch' ? 1 : 0] }),
    })
  }
  if (name === 'CredentialsProviderError') {
    return usageError(
      `no credentials for ${field}: ${error.message}`,
      details('Set MINIO_ROOT_USER and MINIO_ROOT_PASSWORD with S3_ENDPOINT, or standard AWS credentials.'),
    )
  }
  if (status === 403) {
    return new JobError(
      'failed',
      `access denied to ${field} at ${at} (${name})`,
      details('Check the access key, and that its policy allows this bucket to be read, written and listed.'),
    )
  }
  if (status === 301 || name === 'AuthorizationHeaderMalformed' || name === 'PermanentRedirect') {
    return usageError(`${field} is in another region`, details("Set AWS_REGION to the bucket's region."))
  }
  if (away.has(systemCode(thrown) ?? '') || away.has(name)) {
    return new JobError(
      'failed',
      `cannot reach the object store at ${at}: ${error.message || (systemCode(thrown) ?? name)}`,
      {
        ...details('Check S3_ENDPOINT, and that the object store runs and can be reached from here.'),
        ...(endpoint === undefined ? {} : { field: 'S3_ENDPOINT' }),
      },
    )
  }
  return new JobError(
    'failed',
    `the object store at ${at} failed for ${field}: ${name}: ${error.message} (${attempts} attempts)`,
    details("Run again; if it persists, look into the object store's log."),
  )
}
