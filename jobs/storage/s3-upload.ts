import type { AbortMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3'
import {
  CreateMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompleteMultipartUploadCommandOutput,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { asError, JobError } from '../errors.ts'
import type { Look, WrittenFile } from './file-io.ts'
import { publishOver, type Sink } from './output-file.ts'
import { publish, publishIf, writerKey } from './s3-publish.ts'

/** What lib-storage sends (without tags). */
type UploadCommand =
  | PutObjectCommand
  | CreateMultipartUploadCommand
  | UploadPartCommand
  | CompleteMultipartUploadCommand
  | AbortMultipartUploadCommand

/** 10,000 parts of 8 MiB: objects up to 80 GB; four in flight and one being filled: about 50 MB a file. */
const partBytes = 8 << 20
const partsInFlight = 4
/** Small writes are gathered in blocks of this size. */
const blockBytes = 1 << 20

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
}

/**
 * An upload in constant memory: one PutObject below the part size, else multipart, which a failure or `discard`
 * aborts. lib-storage's own abort signal is left alone: with it `done` settles while requests still run and the
 * multipart upload still exists, and the other parts are sent after one has failed. Breaking the body instead
 * ends the upload in order; parts under way are cut by an abort signal of ours.
 */
export function uploadSink(target: UploadTarget): Sink {
  const { client, bucket, key, ifAbsent, toError } = target
  const writer = randomUUID()
  const parts = new AbortController()
  const body = new PassThrough({ highWaterMark: blockBytes })
  let block = Buffer.alloc(0)
  let filled = 0
  let size = 0
  let failure: Error | undefined
  let look: Look | undefined

  const stop = (reason: unknown): void => {
    failure ??= asError(reason)
    parts.abort(failure)
    body.destroy(failure)
  }
  body.on('error', stop)

  const send = async (command: UploadCommand): Promise<unknown> => {
    try {
      if (command instanceof PutObjectCommand || command instanceof CompleteMultipartUploadCommand) {
        const object = { size, writer }
        if (look === undefined) return await publish(client, command, object)
        return await publishOver(look, async (seen) =>
          publishIf(client, command, object, seen && target.etagIn(seen), target.changed),
        )
      }
      if (command instanceof UploadPartCommand) {
        return await client.send(command, { abortSignal: parts.signal })
      }
      // One call with either would not type-check.
      return await (command instanceof CreateMultipartUploadCommand
        ? client.send(command)
        : client.send(command))
    } catch (error) {
      stop(toError(error))
      throw error
    }
  }
  const upload = new Upload({
    client: Object.create(client, { send: { value: send } }) as S3Client,
    params: {
      Bucket: bucket,
      Key: key,
      Body: body,
      Metadata: { [writerKey]: writer },
      ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
    },
    partSize: partBytes,
    queueSize: partsInFlight,
  })
  const done: Promise<CompleteMultipartUploadCommandOutput> = upload.done()
  done.catch(stop)

  const push = async (bytes: Buffer): Promise<void> => {
    if (failure !== undefined) throw failure
    if (!body.write(bytes)) await once(body, 'drain')
  }

  return {
    async write(chunk) {
      size += chunk.length
      for (let at = 0; at < chunk.length;) {
        if (filled === block.length) {
          block = Buffer.allocUnsafe(blockBytes)
          filled = 0
        }
        const taken = Math.min(block.length - filled, chunk.length - at)
        block.set(chunk.subarray(at, at + taken), filled)
        filled += taken
        at += taken
        if (filled === block.length) await push(block)
      }
    },
    async publish(looking) {
      look = looking
      try {
        if (filled < block.length) await push(block.subarray(0, filled))
        body.end()
        const { ETag, VersionId } = await done
        // A web server that answers 200 to everything has kept nothing.
        if (ETag === undefined) {
          throw new JobError(
            'failed',
            `what took s3://${bucket}/${key} gave no ETag: it is no object store`,
            {
              field: 'S3_ENDPOINT',
              fix: 'Check S3_ENDPOINT: it is the address of the S3 API, not of a console or a web page.',
            },
          )
        }
        return target.written(size, ETag, VersionId)
      } catch (error) {
        throw failure ?? toError(error)
      }
    },
    async discard() {
      stop(new Error('the upload was dropped'))
      const settled = done.catch(() => undefined)
      await Promise.race([settled, sleep(discardWaitMs, undefined, { ref: false })])
    },
    interrupt: stop,
  }
}
