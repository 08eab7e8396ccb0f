import { describe, expect, it } from '@jest/globals'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import { fileIOConformance } from './conformance.ts'

fileIOConformance('memory', () =>
  Promise.resolve({
    io: memoryFileIO(() => new Date()),
    root: 'memory://store',
    leftovers: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
  }),
)

describe('memoryFileIO', () => {
  it('dates objects by its clock', async () => {
    const io = memoryFileIO(() => new Date(42))
    await io.write('memory://store/x', Buffer.from('x'))
    expect((await io.stat('memory://store/x'))?.modifiedMs).toBe(42)
  })

  it('does not share its bytes with the reader', async () => {
    const io = memoryFileIO(() => new Date(42))
    await io.write('memory://store/x', Buffer.from('x'))
    const read = await io.read('memory://store/x')
    read.fill(0)
    expect((await io.read('memory://store/x')).toString()).toBe('x')
  })
})
