import { expect, it } from '@jest/globals'
import { fileSizes } from '../../../jobs/inspect/facts/file-sizes.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'

const ofSizes = (...sizes: number[]): ReturnType<typeof fileSizes> =>
  fileSizes(
    sizes.map((fileSizeInBytes) => ({ fileSizeInBytes }) as DataFile),
    1000,
  )

it('a file as large as a bound is above it', () => {
  expect(ofSizes(9, 10, 99, 100, 749, 750, 1799, 1800)).toEqual({
    targetBytes: 1000,
    bytes: { least: 9, median: 100, most: 1800 },
    buckets: [
      { below: 10, files: 1, bytes: 9 },
      { below: 100, files: 2, bytes: 109 },
      { below: 750, files: 2, bytes: 849 },
      { below: 1800, files: 2, bytes: 2549 },
      { files: 1, bytes: 1800 },
    ],
  })
  expect(ofSizes()).not.toHaveProperty('bytes')
})
