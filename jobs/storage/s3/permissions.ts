import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { JobError } from '../../errors.ts'
import { keyOf, s3Client, type S3Settings } from './client.ts'
import { deniedError, s3Error, s3Failure, type S3Action } from './errors.ts'

/** No object and no upload has this name: each request meets the key's policy first, then finds nothing to do. */
const probe = { key: '.lakejobs-check-permissions', upload: 'lakejobs-check-permissions' }

/** A request for each action that changes nothing (in a bucket with versions s3:DeleteObject leaves a marker). */
const requests: Readonly<
  Record<S3Action, (client: S3Client, Bucket: string, Key: string) => Promise<unknown>>
> = {
  's3:ListBucket': (client, Bucket, Key) =>
    client.send(new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 })),
  's3:GetObject': (client, Bucket, Key) => client.send(new GetObjectCommand({ Bucket, Key })),
  's3:PutObject': (client, Bucket, Key) =>
    client.send(
      new UploadPartCommand({ Bucket, Key, UploadId: probe.upload, PartNumber: 1, Body: Buffer.from('x') }),
    ),
  's3:DeleteObject': (client, Bucket, Key) => client.send(new DeleteObjectCommand({ Bucket, Key })),
  's3:AbortMultipartUpload': (client, Bucket, Key) =>
    client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: probe.upload })),
  's3:ListBucketMultipartUploads': (client, Bucket) =>
    client.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1 })),
  's3:ListMultipartUploadParts': (client, Bucket, Key) =>
    client.send(new ListPartsCommand({ Bucket, Key, UploadId: probe.upload })),
}

/**
 * Which of the actions the access key may not do below an `s3://bucket/prefix`, each with the statement that allows it.
 * Where s3:ListBucket is denied, a store denies s3:GetObject of what is not there, too: then that one cannot be told.
 * Throws what is not about permissions: a wrong key, a bucket that is not there, a store that is away.
 */
export async function deniedActions(
  location: string,
  actions: readonly S3Action[],
  settings: S3Settings,
): Promise<readonly JobError[]> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(location) ?? []
  const key = prefix === '' ? probe.key : `${prefix}/${probe.key}`
  const client = s3Client(settings)
  const denied = new Map<S3Action, JobError>()
  try {
    for (const action of actions) {
      await requests[action](client, bucket, key).catch((error: unknown) => {
        const denial = deniedError(action, bucket, key, error, prefix)
        if (denial !== undefined) denied.set(action, denial)
        else if (!['NoSuchKey', 'NoSuchUpload'].includes(s3Failure(error).name))
          throw s3Error(error, {
            ...keyOf(settings),
            endpoint: settings.endpoint,
            bucket,
            places: settings.places,
          })
      })
    }
  } finally {
    client.destroy()
  }
  if (denied.has('s3:ListBucket')) denied.delete('s3:GetObject')
  return [...denied.values()]
}
