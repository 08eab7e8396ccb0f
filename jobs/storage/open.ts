import { UnknownStore } from './errors.ts'
import type { FileIO } from './file-io.ts'
import type { S3Settings } from './s3/client.ts'

/**
 * The store that holds `location` (canonical, see place.ts). Loads the AWS SDK only for `s3://`: it takes longer
 * to load than a small local job takes to run. Throws `UnknownStore` for other schemes.
 */
export async function openFileIO(location: string, s3: S3Settings): Promise<FileIO> {
  if (location.startsWith('file://')) return (await import('./local/local.ts')).localFileIO()
  if (location.startsWith('s3://')) return (await import('./s3/s3.ts')).s3FileIO(s3)
  throw new UnknownStore(location)
}
