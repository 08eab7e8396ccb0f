import { expect, it } from '@jest/globals'
import { buffer } from 'node:stream/consumers'
import { sharedReads } from '../../jobs/query/read-ahead.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'

const place = 'memory://lake/file'

/** A store of one file, and what it is asked. */
async function store(text: string): Promise<{ readonly io: FileIO; readonly asked: string[] }> {
  const io = memoryFileIO(() => new Date(0))
  await io.write(place, Buffer.from(text))
  const asked: string[] = []
  return {
    asked,
    io: {
      ...io,
      read: (location) => {
        asked.push('read')
        return io.read(location)
      },
      stream: (location, range) => {
        asked.push(`stream ${range?.start}-${range?.end}`)
        return io.stream(location, range)
      },
    },
  }
}

const textOf = async (io: FileIO, start: number, end: number): Promise<string> =>
  (await buffer(await io.stream(place, { start, end }))).toString()

it('what was read ahead is not asked for again', async () => {
  const { io, asked } = await store('0123456789')
  const { ahead, behind } = sharedReads(io)
  expect(await textOf(ahead, 2, 5)).toBe('234')
  expect(String(await ahead.read(place))).toBe('0123456789')
  expect(await textOf(behind, 2, 5)).toBe('234')
  expect(String(await behind.read(place))).toBe('0123456789')
  expect(asked).toEqual(['stream 2-5', 'read'])
})

it('other ranges are read, and nothing of them is kept', async () => {
  const { io, asked } = await store('0123456789')
  const { ahead, behind } = sharedReads(io)
  expect(await textOf(ahead, 5, 5)).toBe('')
  expect(await textOf(behind, 5, 5)).toBe('')
  for (let time = 0; time < 2; time++) expect(await textOf(behind, 2, 6)).toBe('2345')
  expect(asked).toEqual(['stream 5-5', 'stream 2-6', 'stream 2-6'])
})

it('a failure is that of whoever asks behind', async () => {
  const { io } = await store('')
  const { ahead, behind } = sharedReads(io)
  const missing = 'memory://lake/missing'
  ahead.read(missing).catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 5))
  await expect(behind.read(missing)).rejects.toThrow('missing')
})
