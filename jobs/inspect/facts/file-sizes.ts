import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { largeShare, smallShare } from '../../lake/upkeep/compaction.ts'
import { spreadOf } from './numbers.ts'
import type { TableReport } from '../report-schema.ts'

/** Where the sizes of small files are told apart. */
const shares = [0.01, 0.1, smallShare, largeShare]

/** How the sizes of data files lie to the target: in five ranges, the first that is `below` its bound. */
export function fileSizes(files: readonly DataFile[], target: number): TableReport['fileSizes'] {
  const bounds = [...shares.map((share) => Math.floor(share * target)), undefined]
  const buckets = bounds.map((below) => ({ ...(below !== undefined && { below }), files: 0, bytes: 0 }))
  for (const { fileSizeInBytes: size } of files) {
    const bucket = buckets.find(({ below = Infinity }) => size < below)
    if (bucket === undefined) continue
    bucket.files++
    bucket.bytes += size
  }
  const bytes = spreadOf(files.map((file) => file.fileSizeInBytes))
  return { targetBytes: target, ...(bytes && { bytes }), buckets }
}
