import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../../errors.ts'
import type { StoreAccess } from '../../query/protocol.ts'
import type { S3Settings } from '../../storage/s3/client.ts'

const extension = 'httpfs.duckdb_extension'

/**
 * How DuckDB reads buckets itself: by its extension httpfs, which is somewhere in `folder`, with the key that our own
 * client has, for these buckets alone. Errors: `JobError` usage for a folder without it.
 */
export async function storeAccess(
  folder: string,
  s3: S3Settings,
  buckets: readonly string[],
): Promise<StoreAccess> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const file = found.find((entry) => entry.name === extension)
  if (file === undefined)
    throw usageError(`there is no ${extension} in ${folder}`, {
      field: '--duckdb-extensions',
      fix: 'put the one of the embedded version there, as the wheel duckdb-extension-httpfs on PyPI has it; or leave the setting out',
    })
  const { s3Key } = await import('../../storage/s3/client.ts')
  const key = await s3Key(s3, buckets.join(', '))
  return {
    extension: join(file.parentPath, file.name),
    caBundle: s3.caBundle,
    // With its slash: `s3://lake` would be a prefix of `s3://lake-of-others` too.
    secrets: buckets.map((bucket) => ({
      scope: `${bucket}/`,
      endpoint: s3.endpoint,
      region: s3.region,
      ...key,
    })),
  }
}
