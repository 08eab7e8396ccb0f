import type { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CompleteMultipartUploadCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { s3Failure } from './errors.ts'

/** User metadata of every object we write: a random id of the writer, so that it can recognise its object. */
export const writerKey = 'lakejobs-writer'

const conflictRetries = 5

const unquoted = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '')

/** The ETag of the object that `command` makes: MD5 of the body, or of the parts' MD5s with their count. */
function expectedETag(command: PutObjectCommand | CompleteMultipartUploadCommand): string {
  const md5 = createHash('md5')
  if (!(command instanceof CompleteMultipartUploadCommand)) {
    return md5.update(command.input.Body as Uint8Array).digest('hex')
  }
  const parts = command.input.MultipartUpload?.Parts ?? []
  for (const part of parts) md5.update(unquoted(part.ETag), 'hex')
  return `${md5.digest('hex')}-${parts.length}`
}

/**
 * Sends the request that makes an object visible. A first attempt whose answer was lost may have succeeded: the
 * repetition then meets our own object (412 for a create-only write, NoSuchUpload for a completed multipart
 * upload). It is ours if it carries our writer id, or, from a store that keeps no metadata, if size and ETag are
 * ours. 409 (another conditional write is under way) is repeated.
 */
export async function publish(
  client: S3Client,
  command: PutObjectCommand | CompleteMultipartUploadCommand,
  object: { readonly size: number; readonly writer: string },
): Promise<{ readonly ETag?: string | undefined; readonly VersionId?: string | undefined }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return command instanceof CompleteMultipartUploadCommand
        ? await client.send(command)
        : await client.send(command)
    } catch (error) {
      const { name, status, attempts } = s3Failure(error)
      if (status === 409 && attempt <= conflictRetries) {
        await sleep(50 * 2 ** attempt)
        continue
      }
      if ((status !== 412 && name !== 'NoSuchUpload') || attempts + attempt <= 2) throw error
      const { Bucket, Key } = command.input
      const head = await client.send(new HeadObjectCommand({ Bucket, Key })).catch(() => undefined)
      if (head?.ContentLength !== object.size) throw error
      const writer = head.Metadata?.[writerKey]
      if (writer === object.writer) return head
      if (writer === undefined && unquoted(head.ETag) === expectedETag(command)) return head
      throw error
    }
  }
}

/**
 * The same, if what is there has this ETag (undefined: if there is nothing), else `changed` is thrown. A store that
 * has no such condition (501) is written to without.
 */
export async function publishIf(
  client: S3Client,
  command: PutObjectCommand | CompleteMultipartUploadCommand,
  object: Parameters<typeof publish>[2],
  etag: string | undefined,
  changed: (thrown: unknown) => Error,
): ReturnType<typeof publish> {
  const { input } = command
  input.IfMatch = etag
  input.IfNoneMatch = etag === undefined ? '*' : undefined
  try {
    return await publish(client, command, object)
  } catch (error) {
    const { name, status } = s3Failure(error)
    // NoSuchKey: what was to be replaced is gone.
    if (status === 412 || name === 'NoSuchKey') throw changed(error)
    if (status !== 501) throw error
    input.IfMatch = input.IfNoneMatch = undefined
    return publish(client, command, object)
  }
}
