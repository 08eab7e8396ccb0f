import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { asError } from '../../errors.ts'
import type { WrittenFile } from '../file-io.ts'
import { publishOver, type Sink } from '../output-file.ts'
import { notAStore } from './errors.ts'
import { multipartUpload } from './multipart.ts'
import { partSize } from './part-size.ts'
import { publish, publishIf, writerKey } from './publish.ts'

/** Memory of a file to which little is written. */
const firstBytes = 1 << 20

/** How long a store that does not answer may hold up the end of a run; maintenance aborts what stays. */
const discardWaitMs = 10_000

export interface UploadTarget {
  readonly client: S3Client
  readonly bucket: string
  readonly key: string
  readonly ifAbsent: boolean
  /** The ETag of what has that identity. */
  readonly etagIn: (identity: string) => string
  /** Something else came to the place. */
  readonly changed: (thrown: unknown) => Error
  readonly toError: (thrown: unknown) => Error
  readonly written: (size: number, etag: string | undefined, versionId: string | undefined) => WrittenFile
  /** Bytes of the part that follows `written` bytes; default: `partSize`. */
  readonly partSize?: (written: number) => number
}

/** What a browser makes of the object that is opened by its address; the store's default is a download. */
function contentTypeOf(key: string): string | undefined {
  if (key.endsWith('.html')) return 'text/html; charset=utf-8'
  return key.endsWith('.json') ? 'application/json' : undefined
}

/**
 * An upload in bounded memory: one PutObject up to the size of the first part, else in parts, which a failure or
 * `discard` aborts. In memory are the part that is being filled and those on their way: 40 MiB of parts of 8 MiB, two
 * parts where they are larger.
 */
export function uploadSink(target: UploadTarget): Sink {
  const { client, bucket, key, ifAbsent, toError } = target
  const sizeOf = target.partSize ?? partSize
  const object = { Bucket: bucket, Key: key }
  const condition = ifAbsent ? { IfNoneMatch: '*' } : {}
  const writer = randomUUID()
  const headers = { Metadata: { [writerKey]: writer }, ContentType: contentTypeOf(key) }
  const stopping = new AbortController()
  let failure: Error | undefined
  const stop = (reason: unknown): Error => {
    failure ??= asError(reason)
    stopping.abort(failure)
    return failure
  }
  const upload = multipartUpload(client, object, {
    headers,
    stop: stopping.signal,
    failed: (thrown) => stop(toError(thrown)),
  })

  let size = 0
  let sent = 0
  let partBytes = sizeOf(0)
  let part = Buffer.alloc(0)
  let filled = 0

  /** Makes room in the part for at least one more byte. A full one is sent only then: it may be all there is. */
  async function room(): Promise<void> {
    if (filled === partBytes) {
      await upload.send(part)
      sent += filled
      filled = 0
      partBytes = sizeOf(sent)
      part = Buffer.allocUnsafe(partBytes)
    } else if (filled === part.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * filled, firstBytes), partBytes))
      larger.set(part)
      part = larger
    }
  }

  /** The request that makes the object. */
  async function lastRequest(): Promise<Parameters<typeof publish>[1]> {
    const rest = part.subarray(0, filled)
    if (sent === 0) return new PutObjectCommand({ ...object, ...condition, Body: rest, ...headers })
    await upload.send(rest)
    return upload.completion(condition)
  }

  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length;) {
        await room()
        if (failure !== undefined) throw failure
        const taken = Math.min(part.length - filled, chunk.length - at)
        part.set(chunk.subarray(at, at + taken), filled)
        filled += taken
        at += taken
      }
      size += chunk.length
    },
    async publish(look) {
      try {
        const command = await lastRequest()
        const whole = { size, writer }
        const { ETag, VersionId } =
          look === undefined
            ? await publish(client, command, whole)
            : await publishOver(look, async (seen) =>
                publishIf(client, command, whole, seen && target.etagIn(seen), target.changed),
              )
        // A web server that answers 200 to everything has kept nothing.
        if (ETag === undefined) throw notAStore(bucket, key)
        return target.written(size, ETag, VersionId)
      } catch (error) {
        throw failure ?? toError(error)
      }
    },
    async discard() {
      stop(new Error('the upload was dropped'))
      await Promise.race([upload.abort(), sleep(discardWaitMs, undefined, { ref: false })])
    },
    interrupt: stop,
  }
}
