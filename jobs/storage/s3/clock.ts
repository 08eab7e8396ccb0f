import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { JobError } from '../../errors.ts'

/** The time by which a bucket's store dates objects, to the second: the Date of an answer (RFC 9110, "Date"). */
export async function storeClock(client: S3Client, bucket: string): Promise<number> {
  let date: string | undefined
  const command = new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 })
  command.middlewareStack.add(
    (next) => async (given) => {
      const answer = await next(given)
      const { headers = {} } = answer.response as { readonly headers?: Readonly<Record<string, string>> }
      date = Object.entries(headers).find(([name]) => name.toLowerCase() === 'date')?.[1]
      return answer
    },
    { step: 'deserialize', priority: 'low' },
  )
  await client.send(command)
  const at = Date.parse(date ?? '')
  if (Number.isFinite(at)) return at
  throw new JobError('failed', `the store of bucket ${bucket} does not tell its time`, {
    field: 'S3_ENDPOINT',
    fix: 'let the answers of the store have their Date header through',
  })
}
