import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import { asError, JobError } from '../../errors.ts'
import { keyOf, s3Client, type S3Settings } from './client.ts'
import { deniedError, s3Error, s3Failure, type BucketAction, type S3Action } from './errors.ts'
import { listUploads } from './uploads.ts'

/** What was looked at; or why it could not be. */
export type Looked<T> = { readonly value: T } | { readonly unknown: JobError }

/** A rule of a bucket's lifecycle that is in force. */
export interface BucketRule {
  readonly id: string
  readonly prefix: string
  /** Whether it is for objects with certain tags or sizes alone. */
  readonly isPartial: boolean
  readonly expiresObjects: boolean
  readonly expiresNoncurrent: boolean
  readonly abortsUploads: boolean
}

/** What a bucket does with objects by itself, and what lies in it unseen. */
export interface BucketRules {
  readonly rules: Looked<readonly BucketRule[]>
  readonly versioning: Looked<'enabled' | 'suspended' | 'off'>
  /** How long the bucket locks each new object, in words; undefined: it does not. */
  readonly retention: Looked<string | undefined>
  /** When the multipart uploads below the prefix were begun, milliseconds since 1970. */
  readonly uploads: Looked<readonly number[]>
  /** The store aborts incomplete uploads without a rule, and knows none for it (MinIO). */
  readonly abortsByItself: boolean
}

/**
 * Looks at a bucket's rules. What the key may not look at, or the store does not know, is told for itself, with the fix; nothing
 * of it throws. `location`: `s3://bucket/prefix`.
 */
export async function bucketRules(location: string, settings: S3Settings): Promise<BucketRules> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(location) ?? []
  const client = s3Client(settings)
  const target = { ...keyOf(settings), endpoint: settings.endpoint, bucket, places: settings.places }
  const look = async <T>(action: S3Action | BucketAction, ask: () => Promise<T>): Promise<Looked<T>> => {
    try {
      return { value: await ask() }
    } catch (error) {
      const { name, status } = s3Failure(error)
      const isUnheardOf = status === 501 || status === 405 || name === 'NotImplemented'
      return {
        unknown: isUnheardOf
          ? new JobError('failed', `the store does not know ${action}`, {
              fix: 'look at it with the store’s own tools',
              cause: error,
            })
          : (deniedError(action, bucket, prefix, error) ?? s3Error(asError(error), target)),
      }
    }
  }
  const server = serverOf(client)
  try {
    return {
      rules: await look('s3:GetLifecycleConfiguration', () => lifecycleOf(client, bucket)),
      versioning: await look('s3:GetBucketVersioning', () => versioningOf(client, bucket)),
      retention: await look('s3:GetBucketObjectLockConfiguration', () => retentionOf(client, bucket)),
      uploads: await look('s3:ListBucketMultipartUploads', async () => {
        const begun: number[] = []
        for await (const upload of listUploads(client, bucket, prefix === '' ? '' : `${prefix}/`))
          begun.push(upload.begunMs)
        return begun
      }),
      abortsByItself: server() === 'MinIO',
    }
  } finally {
    client.destroy()
  }
}

/** What the store calls itself in its answers. */
function serverOf(client: S3Client): () => string | undefined {
  let server: string | undefined
  client.middlewareStack.add(
    (next) => async (args) => {
      const note = (answer: unknown): void => {
        server = (answer as { readonly headers?: Readonly<Record<string, string>> } | undefined)?.headers?.[
          'server'
        ]
      }
      try {
        const result = await next(args)
        note(result.response)
        return result
      } catch (error) {
        note((error as { readonly $response?: unknown }).$response)
        throw error
      }
    },
    { step: 'deserialize', name: 'noteServer' },
  )
  return () => server
}

/** `absent`: the store's error where nobody has set anything. */
async function unlessAbsent<T>(absent: string, otherwise: T, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (s3Failure(error).name !== absent) throw error
    return otherwise
  }
}

const lifecycleOf = (client: S3Client, Bucket: string): Promise<readonly BucketRule[]> =>
  unlessAbsent<readonly BucketRule[]>('NoSuchLifecycleConfiguration', [], async () => {
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    return Rules.filter(({ Status }) => Status === 'Enabled').map(ruleOf)
  })

/** The prefix is the filter's, with or without others beside it, or that of the older form. */
export function ruleOf(rule: LifecycleRule): BucketRule {
  const { ID = '', Filter, Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule
  const also = Filter?.And
  const partial = [Filter?.Tag, Filter?.ObjectSizeGreaterThan, Filter?.ObjectSizeLessThan, also?.Tags]
  return {
    id: ID,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- stores return what was set with it
    prefix: Filter?.Prefix ?? also?.Prefix ?? rule.Prefix ?? '',
    isPartial: [...partial, also?.ObjectSizeGreaterThan, also?.ObjectSizeLessThan].some(
      (one) => one !== undefined,
    ),
    expiresObjects: Expiration?.Days !== undefined || Expiration?.Date !== undefined,
    expiresNoncurrent: NoncurrentVersionExpiration?.NoncurrentDays !== undefined,
    abortsUploads: AbortIncompleteMultipartUpload?.DaysAfterInitiation !== undefined,
  }
}

async function versioningOf(client: S3Client, Bucket: string): Promise<'enabled' | 'suspended' | 'off'> {
  const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket }))
  return Status === undefined ? 'off' : Status === 'Enabled' ? 'enabled' : 'suspended'
}

const retentionOf = (client: S3Client, Bucket: string): Promise<string | undefined> =>
  unlessAbsent<string | undefined>('ObjectLockConfigurationNotFoundError', undefined, async () => {
    const { ObjectLockConfiguration } = await client.send(new GetObjectLockConfigurationCommand({ Bucket }))
    const rule = ObjectLockConfiguration?.Rule?.DefaultRetention
    if (rule === undefined) return undefined
    const time = rule.Days === undefined ? `${rule.Years ?? 0} years` : `${rule.Days} days`
    return `${time}, ${rule.Mode ?? ''}`
  })
