import { readFileSync } from 'node:fs'
import { CreateBucketCommand, HeadBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { asError, usageError } from '../../errors.ts'
import { BucketNotFound } from '../errors.ts'
import { s3Error, s3Failure, type KeyNames, type S3Target } from './errors.ts'

export interface S3Settings {
  /** URL of an S3-compatible store, which is then addressed path-style; undefined for AWS. */
  readonly endpoint?: string | undefined
  readonly region: string
  /** Undefined, both: the SDK's default credential chain. */
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: string | undefined
  /** Which environment names hold the key; for messages alone. */
  readonly keyNames?: KeyNames | undefined
  /** AWS_PROFILE, which that chain looks up; for messages alone. */
  readonly profile?: string | undefined
  /** Default WHEN_REQUIRED: other stores refuse the checksums that newer SDKs add by default. */
  readonly checksums?: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED' | undefined
  /** Whether `ensureBucket` makes a missing bucket. */
  readonly createBucket?: boolean | undefined
  /** Where the settings that name places say these are, by name; for messages alone. */
  readonly places?: Readonly<Record<string, string>>
  /** PEM file of the CAs that an https store's certificate may be of, in the place of Node.js' own. */
  readonly caBundle?: string | undefined
  /** A request during which no byte moves for so long fails; default five minutes, 0: never. */
  readonly stallTimeoutMs?: number | undefined
  /** Times that a request is sent before it fails; default: the SDK's three. */
  readonly attempts?: number
}

/** About ten seconds of waits when the store says SlowDown every time, two when it resets connections. */
const maxAttempts = 6

/** A client of the store. Throws a usage error when only one half of the key is given. */
export function s3Client(settings: S3Settings): S3Client {
  const { endpoint, accessKeyId, secretAccessKey, checksums = 'WHEN_REQUIRED' } = settings
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    const { id, secret } = settings.keyNames ?? { id: 'access key id', secret: 'secret access key' }
    const [given, missing] = accessKeyId === undefined ? [secret, id] : [id, secret]
    throw usageError(`${given} is set without ${missing}`, { field: missing, fix: 'set both, or neither' })
  }
  const { stallTimeoutMs = defaultStallMs, caBundle } = settings
  const client = new S3Client({
    region: settings.region,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: stallTimeoutMs / mostStalls,
      ...(caBundle === undefined ? {} : { httpsAgent: { ca: certificates(caBundle) } }),
    },
    ...(settings.attempts === undefined ? {} : { maxAttempts: settings.attempts }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
  })
  limitStalls(client)
  return client
}

/** The key that a client signs with, for programs that sign themselves; `bucket` is for messages. Errors: the SDK's, where it finds none. */
export async function s3Key(
  settings: S3Settings,
  bucket: string,
): Promise<{
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}> {
  const client = s3Client(settings)
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials()
    return { accessKeyId, secretAccessKey, sessionToken }
  } catch (error) {
    throw s3Error(error, { ...keyOf(settings), endpoint: settings.endpoint, bucket })
  } finally {
    client.destroy()
  }
}

const defaultStallMs = 300_000
/** A connection that was forgotten on the way is no store that hangs: a request without an answer is sent once more. */
const mostStalls = 2

/** The SDK would send a request that gets no byte as often as others: six times the wait. */
function limitStalls({ config }: S3Client): void {
  const { retryStrategy } = config
  config.retryStrategy = async () => {
    const strategy = await retryStrategy()
    if (!('refreshRetryTokenForRetry' in strategy)) return strategy
    let stalls = new WeakMap<object, number>()
    const limited = Object.create(strategy) as typeof strategy
    limited.refreshRetryTokenForRetry = async (token, info) => {
      const count = (stalls.get(token) ?? 0) + (isStall(info.error) ? 1 : 0)
      if (count >= mostStalls) throw asError(info.error)
      const next = await strategy.refreshRetryTokenForRetry(token, info)
      stalls = stalls.set(next, count)
      return next
    }
    return limited
  }
}

const isStall = (error: unknown): boolean =>
  error instanceof Error && error.name === 'TimeoutError' && error.message.includes('inactivity')

function certificates(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`AWS_CA_BUNDLE: ${path} cannot be read: ${asError(error).message}`, {
      field: 'AWS_CA_BUNDLE',
      fix: 'correct AWS_CA_BUNDLE, or leave it unset',
      cause: error,
    })
  }
}

/**
 * Makes sure that the bucket of an `s3://` location exists; true when it made it. A missing bucket is made only
 * with `createBucket`, otherwise it is a usage error.
 */
export async function ensureBucket(location: string, settings: S3Settings): Promise<boolean> {
  return withBucket(location, settings, async (client, bucket) => {
    if (await hasBucket(client, bucket)) return false
    if (settings.createBucket !== true) throw new BucketNotFound(bucket, settings.places)
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
    if (!(await hasBucket(client, bucket)) && settings.createBucket !== true)
      throw new BucketNotFound(bucket, settings.places)
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
    throw s3Error(error, { ...keyOf(settings), endpoint: settings.endpoint, bucket })
  } finally {
    client.destroy()
  }
}

/** What messages say about the key that was used. */
export const keyOf = ({
  keyNames,
  accessKeyId,
  profile,
}: S3Settings): Pick<S3Target, 'keyNames' | 'profile'> => ({
  keyNames,
  profile: accessKeyId === undefined ? profile : undefined,
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
