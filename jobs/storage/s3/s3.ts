import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { JobError, asError } from '../../errors.ts'
import { FileChanged, FileExists, FileNotFound, BucketNotFound } from '../errors.ts'
import type { Deletion, FileIO, FileStat } from '../file-io.ts'
import { outputFile, writeWhole } from '../output-file.ts'
import { keyOf, s3Client, type S3Settings } from './client.ts'
import { deleteObject, deleteObjects } from './delete-objects.ts'
import { storeClock } from './clock.ts'
import { deniedError, s3Error, s3Failure } from './errors.ts'
import { uploadSink } from './upload.ts'
import { abortUpload, unfinishedUploads } from './uploads.ts'
import { wholeBody } from '../whole-body.ts'

export { checkBucket, ensureBucket } from './client.ts'

const readAttempts = 3

function split(location: string): { readonly bucket: string; readonly key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(location) ?? []
  if (bucket === undefined || key === undefined) throw new Error(`not an S3 location: ${location}`)
  return { bucket, key }
}

const quoted = (etag: string | undefined): string => `"${(etag ?? '').replaceAll('"', '')}"`

/** The ETag, quoted, which an identity begins with. */
const etagIn = (identity: string): string => identity.slice(0, identity.indexOf('"', 1) + 1)

const identity = (size: number, etag: string | undefined, versionId: string | undefined): string =>
  [quoted(etag), size, versionId ?? ''].join('-')

/**
 * Objects in S3 or a store that speaks its protocol. Writes go up in parts with bounded memory; requests are
 * repeated by the SDK. `ifAbsent` and `look` are If-None-Match and If-Match, decided by the store when the object is
 * published.
 */
export function s3FileIO(settings: S3Settings): FileIO {
  const client = s3Client(settings)
  const { endpoint } = settings
  /** Buckets known to exist: a 404 to HEAD does not say whether the object or the bucket is missing. */
  const buckets = new Set<string>()

  const errorAt =
    (bucket: string, location?: string) =>
    (thrown: unknown): JobError =>
      s3Error(thrown, {
        ...keyOf(settings),
        endpoint,
        bucket,
        places: settings.places,
        ...(location === undefined ? {} : { location }),
      })

  async function requireBucket(bucket: string): Promise<void> {
    if (buckets.has(bucket)) return
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }))
    } catch (error) {
      const { status } = s3Failure(error)
      if (status === 404) throw new BucketNotFound(bucket, settings.places, error)
      // 403: the key may use the objects without being allowed to see the bucket.
      if (status !== 403) throw errorAt(bucket)(error)
    }
    buckets.add(bucket)
  }

  async function get(location: string, range?: string): Promise<GetObjectCommandOutput> {
    const { bucket, key } = split(location)
    try {
      return await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range }))
    } catch (error) {
      throw deniedError('s3:GetObject', bucket, key, error) ?? errorAt(bucket, location)(error)
    }
  }

  async function stat(location: string): Promise<FileStat | undefined> {
    const { bucket, key } = split(location)
    try {
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
      const size = head.ContentLength ?? 0
      return {
        location,
        size,
        modifiedMs: head.LastModified?.getTime() ?? 0,
        identity: identity(size, head.ETag, head.VersionId),
      }
    } catch (error) {
      if (s3Failure(error).status !== 404) throw errorAt(bucket, location)(error)
      await requireBucket(bucket)
      return undefined
    }
  }

  async function stream(location: string, range?: { start: number; end: number }): Promise<Readable> {
    if (range !== undefined && range.end <= range.start) {
      if ((await stat(location)) === undefined) throw new FileNotFound(location)
      return Readable.from([])
    }
    const header = range === undefined ? undefined : `bytes=${range.start}-${range.end - 1}`
    let answer: GetObjectCommandOutput
    try {
      answer = await get(location, header)
    } catch (error) {
      // The range starts at or behind the object's end.
      if (s3Failure((error as Error).cause).status === 416) return Readable.from([])
      throw error
    }
    const body = answer.Body as Readable
    const toError = (thrown: unknown): Error =>
      new JobError('failed', `reading ${location} broke off: ${asError(thrown).message}`, {
        field: location,
        fix: 'Run again; if it persists, check the network and the object store.',
        cause: thrown,
      })
    return wholeBody(body, answer.ContentLength, toError)
  }

  const create: FileIO['create'] = async (location, options = {}) => {
    options.signal?.throwIfAborted()
    const { bucket, key } = split(location)
    const toError = (thrown: unknown): Error =>
      s3Failure(thrown).status === 412 ? new FileExists(location, thrown) : errorAt(bucket, location)(thrown)
    const sink = uploadSink({
      client,
      bucket,
      key,
      ifAbsent: options.ifAbsent === true,
      etagIn,
      changed: (thrown) => new FileChanged(location, thrown),
      toError,
      written: (size, etag, versionId) => ({ location, size, identity: identity(size, etag, versionId) }),
    })
    return Promise.resolve(outputFile(sink, options.signal))
  }

  return {
    scheme: 's3',
    stat,
    async read(location) {
      for (let attempt = 1; ; attempt++) {
        const body = await stream(location)
        try {
          return await buffer(body)
        } catch (error) {
          if (attempt === readAttempts) throw error
        }
      }
    },
    stream,
    write: (location, body, options) => writeWhole(create, location, body, options),
    create,
    async delete(location) {
      const { bucket, key } = split(location)
      await deleteObject(client, bucket, key, errorAt(bucket, location))
    },
    async deleteAll(locations, signal) {
      const keysOf = new Map<string, string[]>()
      for (const location of locations) {
        const { bucket, key } = split(location)
        const known = keysOf.get(bucket)
        if (known === undefined) keysOf.set(bucket, [key])
        else known.push(key)
      }
      let hidden = 0
      const failures: Deletion['failures'][number][] = []
      for (const [bucket, keys] of keysOf) {
        const toError = (key: string): ReturnType<typeof errorAt> => errorAt(bucket, `s3://${bucket}/${key}`)
        const deletion = await deleteObjects(client, bucket, keys, toError, signal)
        hidden += deletion.hidden
        failures.push(...deletion.failures)
      }
      return { failures, hidden }
    },
    async *list(prefix) {
      const { bucket, key } = split(prefix.endsWith('/') ? prefix : `${prefix}/`)
      const pageAt = (token: string | undefined): Promise<ListObjectsV2CommandOutput> =>
        client
          .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ContinuationToken: token }))
          .catch((error: unknown) => {
            throw deniedError('s3:ListBucket', bucket, key, error) ?? errorAt(bucket)(error)
          })
      let next: Promise<ListObjectsV2CommandOutput> | undefined = pageAt(undefined)
      while (next !== undefined) {
        const page: ListObjectsV2CommandOutput = await next
        const token = page.NextContinuationToken
        // The store makes the next page while this one is worked on.
        next = token === undefined ? undefined : pageAt(token)
        // Whoever stops before it is not told of its failure.
        next?.catch(() => undefined)
        // The request goes out when nothing else is to be done: as long as objects are taken one by one, it would wait.
        await setImmediate()
        for (const { Key = '', Size = 0, LastModified, ETag } of page.Contents ?? []) {
          // Consoles mark "folders" by empty objects whose names end in a slash.
          if (Key.endsWith('/')) continue
          yield {
            location: `s3://${bucket}/${Key}`,
            size: Size,
            // To the second, as HEAD has it (an HTTP date); some stores list milliseconds.
            modifiedMs: Math.floor((LastModified?.getTime() ?? 0) / 1000) * 1000,
            identity: identity(Size, ETag, undefined),
          }
        }
      }
    },
    async *unpublished(prefix) {
      const { bucket, key } = split(prefix.endsWith('/') ? prefix : `${prefix}/`)
      try {
        yield* unfinishedUploads(client, bucket, key)
      } catch (error) {
        throw deniedError('s3:ListBucketMultipartUploads', bucket, key, error) ?? errorAt(bucket)(error)
      }
    },
    async discard({ location, id }) {
      const { bucket, key } = split(location)
      await abortUpload(client, bucket, key, id).catch((error: unknown) => {
        throw errorAt(bucket)(error)
      })
    },
    async now(location) {
      const { bucket } = split(`${location}/`)
      return storeClock(client, bucket).catch((error: unknown) => {
        // It lists.
        throw deniedError('s3:ListBucket', bucket, '', error) ?? errorAt(bucket)(error)
      })
    },
    localPath: () => undefined,
  }
}
