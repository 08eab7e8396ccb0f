import { JobError, asError, systemCode, usageError } from '../../errors.ts'
import { BucketNotFound, FileNotFound } from '../errors.ts'

/** The environment names of the two halves of a key. */
export interface KeyNames {
  readonly id: string
  readonly secret: string
}

/** Where a request went, for its error message. */
export interface S3Target {
  readonly endpoint: string | undefined
  readonly bucket: string
  /** Missing for requests about the bucket. */
  readonly location?: string
  readonly keyNames?: KeyNames | undefined
  /** AWS_PROFILE. */
  readonly profile?: string | undefined
  /** Where the settings that name places say these are. */
  readonly places?: Readonly<Record<string, string>> | undefined
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

/** A CA that nobody told us of. */
const untrusted = /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)/

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

/** A failed request as a `JobError` that names the place and the fix; a missing object as `FileNotFound`. */
export function s3Error(
  thrown: unknown,
  { endpoint, bucket, location, keyNames, profile, places }: S3Target,
): JobError {
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

  if (name === 'NoSuchBucket') return new BucketNotFound(bucket, places, thrown)
  if (name === 'NoSuchKey' || (status === 404 && location !== undefined && name !== 'NoSuchUpload')) {
    return new FileNotFound(field, thrown)
  }
  if (name === 'ExpiredToken') {
    return usageError(
      `${at} refuses the credentials for ${field}: they have expired`,
      details('Renew the credentials (AWS_SESSION_TOKEN, or the role’s), then run again.'),
    )
  }
  // A temporary key without its token: MinIO's name for it; AWS knows no such key.
  if (name === 'InvalidTokenId') {
    return usageError(`${at} refuses the access key: its session token is missing or wrong`, {
      field: 'AWS_SESSION_TOKEN',
      fix: 'set AWS_SESSION_TOKEN to the token that the key came with',
      cause: thrown,
    })
  }
  if (wrongKey.has(name)) {
    return usageError(`${at} refuses the access key (${name})`, {
      ...details('Correct MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, or the AWS credentials.'),
      ...(keyNames && { field: name === 'SignatureDoesNotMatch' ? keyNames.secret : keyNames.id }),
    })
  }
  if (name === 'CredentialsProviderError' && profile !== undefined) {
    return usageError(`the profile ${profile} has no credentials for ${field}: ${error.message}`, {
      field: 'AWS_PROFILE',
      fix: 'correct AWS_PROFILE, or the profile in AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) or AWS_CONFIG_FILE (~/.aws/config)',
      cause: thrown,
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
  if (untrusted.test(systemCode(thrown) ?? '')) {
    return usageError(`the certificate of ${at} is not trusted: ${error.message}`, {
      field: 'AWS_CA_BUNDLE',
      fix: "set AWS_CA_BUNDLE to the PEM file of the CA that signed the store's certificate (NODE_EXTRA_CA_CERTS works in the environment, not in .env)",
      cause: thrown,
    })
  }
  if (/CERT_HAS_EXPIRED|ERR_TLS_CERT_ALTNAME_INVALID/.test(systemCode(thrown) ?? '')) {
    return usageError(`the certificate of ${at} is not for it, or has expired: ${error.message}`, {
      field: 'S3_ENDPOINT',
      fix: "renew the store's certificate, or set S3_ENDPOINT to a name that it is for",
      cause: thrown,
    })
  }
  if (error.message.includes('of inactivity')) {
    return new JobError(
      'failed',
      `the object store at ${at} has sent nothing for so long as --stall-timeout says`,
      {
        ...details(
          'Run again; if the store needs that long, raise --stall-timeout (LAKEJOBS_STALL_TIMEOUT; 0: never).',
        ),
        ...(endpoint === undefined ? {} : { field: 'S3_ENDPOINT' }),
      },
    )
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

/** What `check` looks at, and nothing needs (docs/permissions.md). */
export type BucketAction =
  's3:GetLifecycleConfiguration' | 's3:GetBucketVersioning' | 's3:GetBucketObjectLockConfiguration'

/** The permissions that the jobs need (docs/permissions.md). */
export type S3Action =
  | 's3:ListBucket'
  | 's3:GetObject'
  | 's3:PutObject'
  | 's3:DeleteObject'
  | 's3:AbortMultipartUpload'
  | 's3:ListBucketMultipartUploads'
  | 's3:ListMultipartUploadParts'

/** The statement of a policy that allows it below a prefix of the bucket, or in all of it. */
function allowing(action: S3Action | BucketAction, bucket: string, prefix: string): string {
  const resource = `arn:aws:s3:::${bucket}`
  const below = prefix === '' ? '*' : `${prefix}/*`
  return JSON.stringify({
    Effect: 'Allow',
    Action: action,
    ...(/^s3:(ListBucket|GetBucket|GetLifecycle)/.test(action)
      ? {
          Resource: resource,
          // The other one knows no prefix.
          ...(action === 's3:ListBucket' &&
            prefix !== '' && { Condition: { StringLike: { 's3:prefix': below } } }),
        }
      : { Resource: `${resource}/${below}` }),
  })
}

/**
 * The store knows us and does not let us: names the permission, and the statement that gives it below `prefix`. Undefined when
 * something else failed, a wrong key among it, which stores answer with 403, too.
 */
export function deniedError(
  action: S3Action | BucketAction,
  bucket: string,
  key: string,
  cause: unknown,
  prefix = '',
): JobError | undefined {
  const { name, status } = s3Failure(cause)
  if (status !== 403 || wrongKey.has(name) || name === 'ExpiredToken' || name === 'InvalidTokenId')
    return undefined
  return new JobError('failed', `${action} is denied for s3://${bucket}/${key}`, {
    field: `s3://${bucket}`,
    fix: `Add ${allowing(action, bucket, prefix)} to the policy of the access key.`,
    cause,
  })
}

/** What takes `s3://bucket/key` answers 200 to everything, as a web page does, and keeps nothing. */
export const notAStore = (bucket: string, key: string): JobError =>
  new JobError('failed', `what took s3://${bucket}/${key} gave no ETag: it is no object store`, {
    field: 'S3_ENDPOINT',
    fix: 'Check S3_ENDPOINT: it is the address of the S3 API, not of a console or a web page.',
  })
