import { expect, it } from '@jest/globals'
import { partSize } from '../../../jobs/storage/s3/part-size.ts'

const MiB = 1 << 20
const GiB = 1 << 30
const mostParts = 10_000
const mostBytes = 5 * 1024 * GiB

/** The sizes of an object's parts up to `bytes`. */
function* sizes(bytes: number): Generator<number> {
  for (let written = 0; written < bytes;) {
    const size = partSize(written)
    yield size
    written += size
  }
}

it('an object of 5 TiB has no more parts than S3 takes, and none above a gigabyte', () => {
  const all = [...sizes(mostBytes)]
  expect(all.length).toBeLessThanOrEqual(mostParts)
  expect(all.reduce((largest, size) => Math.max(largest, size))).toBe(GiB)
  expect(all.every((size, index) => index === 0 || size >= all[index - 1]!)).toBe(true)
})

it('parts stay small for as long as they can', () => {
  expect(new Set(sizes(1000 * 8 * MiB))).toEqual(new Set([8 * MiB]))
  expect(Math.max(...sizes(80 * GiB))).toBeLessThanOrEqual(80 * MiB + 2 * MiB)
})
