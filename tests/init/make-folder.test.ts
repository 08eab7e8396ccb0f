import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../../jobs/init/make-folder.ts'

let base: string
let umask: number
beforeEach(async () => {
  umask = process.umask(0o022)
  base = await mkdtemp(join(tmpdir(), 'lakejobs-folders-'))
})
afterEach(async () => {
  process.umask(umask)
  await rm(base, { recursive: true })
})

const mode = async (path: string): Promise<string> =>
  ((await stat(join(base, path))).mode & 0o7777).toString(8)

describe('makeFolder', () => {
  it('makes a folder and its parents open to their group, whatever the umask', async () => {
    const path = join(base, 'data/crud/input')
    expect(await makeFolder(path, true)).toEqual({ item: `folder ${path}`, state: 'made' })
    expect(await Promise.all(['data', 'data/crud', 'data/crud/input'].map(mode))).toEqual([
      '2775',
      '2775',
      '2775',
    ])
    expect(await makeFolder(path, true)).toEqual({ item: `folder ${path}`, state: 'was there' })
  })

  it('opens folders that were made with another umask, adds rights and takes none', async () => {
    await mkdir(join(base, 'out/.lakejobs/rejects'), { recursive: true })
    await chmod(join(base, 'out/.lakejobs'), 0o700)
    await mkdir(join(base, 'elsewhere'))
    await symlink(join(base, 'elsewhere'), join(base, 'out/link'))
    await writeFile(join(base, 'out/2024-09-16.csv'), '')
    expect(await makeFolder(join(base, 'out'), true)).toMatchObject({
      state: 'was there',
      note: 'now open to its group',
    })
    expect(await Promise.all(['out', 'out/.lakejobs', 'out/.lakejobs/rejects'].map(mode))).toEqual([
      '2775',
      '2770',
      '2775',
    ])
    expect(await mode('elsewhere')).toBe('755')
    expect(await mode('out/2024-09-16.csv')).toBe('644')
  })

  it('of many at once none fails', async () => {
    const path = join(base, 'data/crud/cache')
    const items = await Promise.all(Array.from({ length: 8 }, () => makeFolder(path, true)))
    expect(items.filter(({ state }) => state === 'made').length).toBeGreaterThan(0)
    expect(await mode('data/crud/cache')).toBe('2775')
  })

  it('names the path that is no folder, and what to do', async () => {
    await writeFile(join(base, 'file'), '')
    for (const path of [join(base, 'file'), join(base, 'file/below')]) {
      await expect(makeFolder(path, true)).rejects.toMatchObject({
        code: 'failed',
        field: path,
        fix: expect.stringContaining('folder') as unknown,
      })
    }
  })
})
