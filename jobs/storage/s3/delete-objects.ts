import { DeleteObjectCommand, DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3'
import { mapConcurrently } from '../../concurrency.ts'
import { JobError } from '../../errors.ts'
import { deleteSingly } from '../delete-singly.ts'
import type { Deletion } from '../file-io.ts'
import { deniedError, s3Failure } from './errors.ts'

/** A request may have a thousand; stores throttle by keys, and one of 250 is not told SlowDown so soon. */
const keysPerRequest = 250
const requestsAtOnce = 4

/** Removes one object; whether it is only hidden, as in a bucket with versions. */
export async function deleteObject(
  client: S3Client,
  bucket: string,
  key: string,
  toError: (thrown: unknown) => Error,
): Promise<boolean> {
  try {
    const { DeleteMarker } = await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    return DeleteMarker === true
  } catch (error) {
    if (s3Failure(error).name === 'NoSuchKey') return false
    throw deniedError('s3:DeleteObject', bucket, key, error) ?? toError(error)
  }
}

/**
 * Removes keys of a bucket, many a request. A request may remove some and not others: those that it names, and all of a
 * request that the store does not know, are tried again one by one; NoSuchKey is done.
 */
export async function deleteObjects(
  client: S3Client,
  bucket: string,
  keys: readonly string[],
  toError: (key: string) => (thrown: unknown) => Error,
  signal?: AbortSignal,
): Promise<Deletion> {
  const locationOf = (key: string): string => `s3://${bucket}/${key}`
  const singly = (some: readonly string[]): Promise<Deletion> =>
    deleteSingly(
      (location) => {
        const key = location.slice(locationOf('').length)
        return deleteObject(client, bucket, key, toError(key))
      },
      some.map(locationOf),
      signal,
    )
  const together = async (some: readonly string[]): Promise<Deletion> => {
    signal?.throwIfAborted()
    const Objects = some.map((Key) => ({ Key }))
    try {
      const answer = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
      const hidden = (answer.Deleted ?? []).filter(({ DeleteMarker }) => DeleteMarker === true).length
      const left = (answer.Errors ?? [])
        .filter(({ Code }) => Code !== 'NoSuchKey')
        .flatMap(({ Key }) => Key ?? [])
      if (left.length === 0) return { failures: [], hidden }
      const again = await singly(left)
      return { failures: again.failures, hidden: hidden + again.hidden }
    } catch (error) {
      // A store that cannot be reached would be asked for each.
      if (!(error instanceof JobError) && s3Failure(error).status !== undefined) return singly(some)
      return {
        failures: some.map((key) => ({ location: locationOf(key), error: toError(key)(error) })),
        hidden: 0,
      }
    }
  }
  const groups: (readonly string[])[] = []
  for (let at = 0; at < keys.length; at += keysPerRequest) groups.push(keys.slice(at, at + keysPerRequest))
  const deletions = await mapConcurrently(groups, requestsAtOnce, together)
  return {
    failures: deletions.flatMap(({ failures }) => failures),
    hidden: deletions.reduce((sum, { hidden }) => sum + hidden, 0),
  }
}
