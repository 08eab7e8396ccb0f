import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { UnpublishedWrite } from '../file-io.ts'
import { deniedError, s3Failure } from './errors.ts'

/**
 * The multipart uploads of a bucket that were begun and neither completed nor aborted, whose keys start with `prefix`, with
 * the bytes of the parts that are there.
 */
export async function* unfinishedUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<UnpublishedWrite> {
  for await (const { key, begunMs, id } of listUploads(client, bucket, prefix)) {
    const size = await partBytes(client, bucket, key, id)
    if (size !== undefined) yield { location: `s3://${bucket}/${key}`, size, begunMs, id }
  }
}

/** A multipart upload, without its parts. */
interface Upload {
  readonly key: string
  readonly begunMs: number
  readonly id: string
}

/** As `unfinishedUploads`, without a request for each. All of the bucket's are asked for: MinIO takes a prefix for the whole of a key. */
export async function* listUploads(client: S3Client, bucket: string, prefix: string): AsyncGenerator<Upload> {
  let after:
    { readonly KeyMarker: string | undefined; readonly UploadIdMarker: string | undefined } | undefined
  do {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, ...after }))
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
      if (Key.startsWith(prefix)) yield { key: Key, begunMs: Initiated?.getTime() ?? 0, id: UploadId }
    }
    after =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined
  } while (after !== undefined)
}

/** Aborts one of them; one that has been completed or aborted since is done. */
export async function abortUpload(
  client: S3Client,
  Bucket: string,
  Key: string,
  UploadId: string,
): Promise<void> {
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error: unknown) => {
    if (s3Failure(error).status !== 404)
      throw deniedError('s3:AbortMultipartUpload', Bucket, Key, error) ?? error
  })
}

/** Undefined: it has been completed or aborted since. */
async function partBytes(
  client: S3Client,
  Bucket: string,
  Key: string,
  UploadId: string,
): Promise<number | undefined> {
  let size = 0
  let marker: string | undefined
  try {
    do {
      const page = await client.send(
        new ListPartsCommand({
          ...{ Bucket, Key, UploadId },
          ...(marker !== undefined && { PartNumberMarker: marker }),
        }),
      )
      for (const { Size = 0 } of page.Parts ?? []) size += Size
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
    } while (marker !== undefined)
    return size
  } catch (error) {
    if (s3Failure(error).status === 404) return undefined
    throw error
  }
}
