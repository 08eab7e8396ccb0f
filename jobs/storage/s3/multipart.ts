import type { CompletedPart, CreateMultipartUploadCommandInput, S3Client } from '@aws-sdk/client-s3'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { notAStore } from './errors.ts'

/** Parts on their way at a time, if together they are no more than this; a larger one alone. */
const mostParts = 4
const mostBytes = 32 << 20

export interface MultipartUpload {
  /**
   * Sends `bytes`, not to be changed any more, as the next part. Waits until it is on its way, not until it is there;
   * throws what any part has failed with.
   */
  send(bytes: Uint8Array): Promise<void>
  /** Waits for the parts; the request that makes them an object. `condition` is sent with it. */
  completion(condition: { readonly IfNoneMatch?: string }): Promise<CompleteMultipartUploadCommand>
  /** Ends the parts on their way, then removes all of them. What is completed stays. */
  abort(): Promise<void>
}

/**
 * An upload of one object in parts, which is begun with the first one. `failed` is told of the first failure at once and
 * says what is thrown for it; `stop` cuts the parts on their way.
 */
export function multipartUpload(
  client: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  options: {
    /** Of the object. */
    readonly headers: Pick<CreateMultipartUploadCommandInput, 'Metadata' | 'ContentType'>
    readonly stop: AbortSignal
    readonly failed: (thrown: unknown) => Error
  },
): MultipartUpload {
  const { headers, stop, failed } = options
  const parts: CompletedPart[] = []
  const onTheWay = new Set<Promise<void>>()
  let bytesOnTheWay = 0
  let count = 0
  let beginning: Promise<string> | undefined
  let failure: Error | undefined

  const fail = (thrown: unknown): void => {
    failure ??= failed(thrown)
  }

  /** The upload's id. */
  async function begin(): Promise<string> {
    const checked = (await client.config.requestChecksumCalculation()) === 'WHEN_SUPPORTED'
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({
        ...object,
        ...headers,
        ...(checked && { ChecksumAlgorithm: 'CRC32' }),
      }),
    )
    if (UploadId === undefined) throw notAStore(object.Bucket, object.Key)
    return UploadId
  }

  async function sendPart(PartNumber: number, Body: Uint8Array): Promise<void> {
    beginning ??= begin()
    const UploadId = await beginning
    const command = new UploadPartCommand({ ...object, UploadId, PartNumber, Body })
    const { ETag, ChecksumCRC32 } = await client.send(command, { abortSignal: stop })
    if (ETag === undefined) throw notAStore(object.Bucket, object.Key)
    parts[PartNumber - 1] = { PartNumber, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) }
  }

  const full = (length: number): boolean =>
    onTheWay.size >= mostParts || (onTheWay.size > 0 && bytesOnTheWay + length > mostBytes)

  return {
    async send(bytes) {
      while (failure === undefined && full(bytes.length)) await Promise.race(onTheWay)
      if (failure !== undefined) throw failure
      bytesOnTheWay += bytes.length
      const sending = sendPart(++count, bytes)
        .catch(fail)
        .finally(() => {
          bytesOnTheWay -= bytes.length
          onTheWay.delete(sending)
        })
      onTheWay.add(sending)
    },
    async completion(condition) {
      await Promise.all(onTheWay)
      if (failure !== undefined) throw failure
      return new CompleteMultipartUploadCommand({
        ...object,
        ...condition,
        UploadId: await beginning,
        MultipartUpload: { Parts: parts },
      })
    },
    async abort() {
      await Promise.all(onTheWay)
      // One that could not begin has left nothing.
      const UploadId = await beginning?.catch(() => undefined)
      if (UploadId !== undefined) {
        await client.send(new AbortMultipartUploadCommand({ ...object, UploadId }))
      }
    },
  }
}
