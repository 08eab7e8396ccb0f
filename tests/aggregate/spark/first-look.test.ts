import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { firstLook } from '../../../jobs/aggregate/spark/first-look.ts'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const location = 'memory://logs/2024-09-16.csv'
const lookAt = async (content: string | Uint8Array): ReturnType<typeof firstLook> => {
  const io = memoryFileIO(() => new Date())
  await io.write(location, Buffer.from(content))
  return firstLook(io, location, new AbortController().signal)
}

describe('the first look at a log', () => {
  it('hashes it and tells a header', async () => {
    const text = 'email,action,timestamp\na,READ,x\n'
    const key = createHash('sha256').update(text).digest('hex')
    const checksum = (crc32('email,action,timestamp') + crc32('a,READ,x')) % 2 ** 32
    expect(await lookAt(text)).toEqual({ key, size: text.length, startsWithHeader: true, checksum })
    expect(await lookAt('a,READ,x')).toMatchObject({ size: 8, startsWithHeader: false })
    expect(await lookAt('')).toMatchObject({ size: 0, startsWithHeader: false })
  })

  it('sums its lines, wherever the store cuts them, with and without a last line feed', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `user${i}@example.com,READ,2024-09-16 00:00:00`)
    const checksum = lines.reduce((sum, line) => (sum + crc32(line)) % 2 ** 32, 0)
    const folder = await mkdtemp(join(tmpdir(), 'lakejobs-first-look-'))
    const path = join(folder, 'log.csv')
    for (const end of ['', '\n', '\n\n']) {
      await writeFile(path, lines.join('\n') + end)
      // In parts of a mebibyte.
      const looked = firstLook(localFileIO(), `file://${path}`, new AbortController().signal)
      expect(await looked).toMatchObject({ checksum })
    }
    await rm(folder, { recursive: true })
  })

  it.each([
    ['a"', 'it holds a quote'],
    ['a\r\n', 'it holds a CR'],
    ['a\0', 'it holds a NUL'],
    ['\uFEFFa', 'it begins with a BOM'],
    ['x'.repeat(3 * 2 ** 20), 'it has a very long line'],
    [`a\n${'x'.repeat(3 * 2 ** 20)}\nb`, 'it has a very long line'],
  ])('is enough for some (%#)', async (text, why) => {
    expect(await lookAt(text)).toBe(why)
  })
})
