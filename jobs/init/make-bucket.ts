import { ensureBucket, type S3Settings } from '../storage/s3/client.ts'
import type { InitItem } from '../summary.ts'

/** Makes a bucket, at its location `s3://name`, where the settings allow it. Errors: `ensureBucket`'s. */
export async function makeBucket(location: string, settings: S3Settings): Promise<InitItem> {
  const made = await ensureBucket(location, { ...settings, attempts: 1 })
  return { item: `bucket ${location.slice('s3://'.length)}`, state: made ? 'made' : 'was there' }
}
