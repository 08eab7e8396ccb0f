import { describe, expect, it } from '@jest/globals'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSpool, spoolOver, type Spool, type SpoolFile } from '../../jobs/storage/spool.ts'

async function recordsOf(spool: Spool, name: string): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const { value, bytes } of spool.records(name)) all.push([value, Buffer.from(bytes).toString()])
  return all
}

const text = (content: string): Uint8Array => Buffer.from(content)

describe('a spool', () => {
  it('gives back what it was given, by name, and leaves nothing in its folder from the beginning', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'lakejobs-spool-'))
    const spool = await openSpool(parent)
    expect(await readdir(parent)).toEqual([])
    await spool.add('a', { n: 1, words: Int32Array.of(-1, 7) }, [text('one '), text('two')])
    await spool.add('b', 'beside', [text('b'.repeat(100_000))])
    await spool.add('a', null)
    expect(spool.names()).toEqual(['a', 'b'])
    expect(await recordsOf(spool, 'a')).toEqual([
      [{ n: 1, words: Int32Array.of(-1, 7) }, 'one two'],
      [null, ''],
    ])
    expect(await recordsOf(spool, 'b')).toEqual([['beside', 'b'.repeat(100_000)]])
    expect(await recordsOf(spool, 'c')).toEqual([])
    await spool.remove()
    await spool.remove()
    await rm(parent, { recursive: true })
  })

  /** A file in memory that takes and gives at most `most` bytes at a time, as the system may. */
  function shortFile(most: number): SpoolFile {
    const content = Buffer.alloc(10_000)
    return {
      write: (bytes, offset, length, position) => {
        const bytesWritten = Math.min(length, most)
        content.set(bytes.subarray(offset, offset + bytesWritten), position)
        return Promise.resolve({ bytesWritten })
      },
      read: (bytes, offset, length, position) => {
        const bytesRead = Math.min(length, most)
        bytes.set(content.subarray(position, position + bytesRead), offset)
        return Promise.resolve({ bytesRead })
      },
      close: () => Promise.resolve(),
    }
  }

  it('goes on where a write or a read ended short', async () => {
    const spool = spoolOver(shortFile(7), 'spool')
    await spool.add('a', [1, 2, 3], [text('a'.repeat(100)), text('b'.repeat(33))])
    await spool.add('a', 'next')
    expect(await recordsOf(spool, 'a')).toEqual([
      [[1, 2, 3], 'a'.repeat(100) + 'b'.repeat(33)],
      ['next', ''],
    ])
  })

  it('says that the disk is full, and where', async () => {
    const full = {
      ...shortFile(7),
      write: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOSPC' })),
    }
    await expect(spoolOver(full, '/scratch/spool').add('a', 1)).rejects.toThrow('/scratch/spool')
  })
})
