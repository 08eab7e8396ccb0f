import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import { resolvingFileIO } from '../../jobs/storage/resolving.ts'
import { fileIOConformance } from './conformance.ts'

const memory = (): ReturnType<typeof memoryFileIO> => memoryFileIO(() => new Date())

fileIOConformance('resolving, a store that is opened when it is needed', () => {
  const store = memory()
  return Promise.resolve({
    io: resolvingFileIO(localFileIO(), () => Promise.resolve(store)),
    root: 'memory://store',
    leftovers: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
  })
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakejobs-resolving-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('sends each location to the store of its scheme, which is opened once', async () => {
  const opened: string[] = []
  const io = resolvingFileIO(memory(), (location) => {
    opened.push(location)
    return Promise.resolve(localFileIO())
  })
  await io.write('memory://store/a', Buffer.from('a'))
  await Promise.all(['b', 'c'].map((name) => io.write(`file://${folder}/${name}`, Buffer.from(name))))
  expect((await io.read(`file://${folder}/b`)).toString()).toBe('b')
  expect((await io.read('memory://store/a')).toString()).toBe('a')
  expect(opened).toHaveLength(1)
  expect(io.localPath(`file://${folder}/b`)).toBeUndefined()
  expect(resolvingFileIO(localFileIO(), () => Promise.reject(new Error('no'))).localPath('file:///x')).toBe(
    '/x',
  )
})
