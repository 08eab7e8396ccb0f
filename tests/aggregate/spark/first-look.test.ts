import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { maxRecordBytes } from '../../../jobs/aggregate/log/scanner.ts'
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
    ['\uFEFFa', 'it holds a BOM'],
    ['a\nb\uFEFF\n', 'it holds a BOM'],
    ['a\uFFFD', 'it holds a U+FFFD'],
    [Buffer.from('a\xe9\n', 'latin1'), 'it is not UTF-8'],
    [Buffer.from('é\n').subarray(0, 1), 'it is not UTF-8'],
    ['x'.repeat(3 * 2 ** 20), 'it has a very long line'],
    [`a\n${'x'.repeat(3 * 2 ** 20)}\nb`, 'it has a very long line'],
    [`a\n${'x'.repeat(maxRecordBytes)}\nb`, 'it has a very long line'],
  ])('is enough for some (%#)', async (text, why) => {
    expect(await lookAt(text)).toBe(why)
  })

  it('takes the longest line that is one, and characters that the store cuts in two', async () => {
    expect(await lookAt(`${'x'.repeat(maxRecordBytes - 1)}\n`)).toMatchObject({ size: maxRecordBytes })
    const folder = await mkdtemp(join(tmpdir(), 'lakejobs-first-look-'))
    const path = join(folder, 'log.csv')
    // Of three bytes each, so that most parts end within one.
    const text = `a${'€'.repeat(200_000)}\n`.repeat(5)
    await writeFile(path, text)
    const looked = firstLook(localFileIO(), `file://${path}`, new AbortController().signal)
    expect(await looked).toMatchObject({ checksum: (5 * crc32(text.slice(0, 200_001))) % 2 ** 32 })
    await rm(folder, { recursive: true })
  })
})
