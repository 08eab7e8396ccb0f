import { CreateBucketCommand, HeadBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { usageError } from '../errors.ts'
import { noSuchBucket, s3Error, s3Failure } from './s3-errors.ts'

export interface S3Settings {
  /** URL of an S3-compatible store, which is then addressed path-style; undefined for AWS. */
  readonly endpoint?: string | undefined
  readonly region: string
  /** Undefined, both: the SDK's default credential chain. */
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: string | undefined
  /** Default WHEN_REQUIRED: other stores refuse the checksums that newer SDKs add by default. */
  readonly checksums?: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED' | undefined
  /** Whether `ensureBucket` makes a missing bucket. */
  readonly createBucket?: boolean | undefined
  /** Times that a request is sent before it fails; default: the SDK's three. */
  readonly attempts?: number
}

/** About ten seconds of waits when the store says SlowDown every time, two when it resets connections. */
const maxAttempts = 6

/** A client of the store. Throws a usage error when only one half of the key is given. */
export function s3Client(settings: S3Settings): S3Client {
  const { endpoint, accessKeyId, secretAccessKey, checksums = 'WHEN_REQUIRED' } = settings
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw usageError('only one half of the S3 access key is set', {
      field: accessKeyId === undefined ? 'access key id' : 'secret access key',
      fix: 'Set MINIO_ROOT_USER and MINIO_ROOT_PASSWORD both, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both.',
    })
  }
  return new S3Client({
    region: settings.region,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 120_000 },
    ...(settings.attempts === undefined ? {} : { maxAttempts: settings.attempts }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  })
}

/**
 * Makes sure that the bucket of an `s3://` location exists; true when it made it. A missing bucket is made only
 * with `createBucket`, otherwise it is a usage error.
 */
export async function ensureBucket(location: string, settings: S3Settings): Promise<boolean> {
  return withBucket(location, settings, async (client, bucket) => {
    if (await hasBucket(client, bucket)) return false
    if (settings.createBucket !== true) throw noSuchBucket(bucket)
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      return true
    } catch (error) {
      // Made by someone else since we looked.
      if (s3Failure(error).name === 'BucketAlreadyOwnedByYou') return false
      throw error
    }
  })
}

/** As `ensureBucket`, and makes nothing: a missing bucket that would be made is fine. */
export async function checkBucket(location: string, settings: S3Settings): Promise<void> {
  await withBucket(location, settings, async (client, bucket) => {
    if (!(await hasBucket(client, bucket)) && settings.createBucket !== true) throw noSuchBucket(bucket)
  })
}

async function withBucket<T>(
  location: string,
  settings: S3Settings,
  work: (client: S3Client, bucket: string) => Promise<T>,
): Promise<T> {
  const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(location) ?? []
  const client = s3Client(settings)
  try {
    return await work(client, bucket)
  } catch (error) {
    throw s3Error(error, { ...credentialsOf(settings), endpoint: settings.endpoint, bucket })
  } finally {
    client.destroy()
  }
}

/** Whose environment names hold the key that is used; for messages. */
export const credentialsOf = ({
  accessKeyId,
}: S3Settings): { readonly credentials: 'MINIO_ROOT' | 'AWS' } => ({
  credentials: accessKeyId === undefined ? 'AWS' : 'MINIO_ROOT',
})

async function hasBucket(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }))
  } catch (error) {
    const { status } = s3Failure(error)
    if (status === 404) return false
    if (status !== 403 && status !== 400) throw error
    // HEAD has no body to say why: the key may be wrong, or may use the objects without seeing the bucket.
    await client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 })).catch((why: unknown) => {
      if (s3Failure(why).name !== 'AccessDenied') throw why
    })
  }
  return true
}
