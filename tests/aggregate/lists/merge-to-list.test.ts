import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeToList, type LocalList } from '../../../jobs/aggregate/lists/merge-to-list.ts'
import { listOf, writeList } from '../../../jobs/aggregate/lists/write-list.ts'
import { countsOf } from '../counts.ts'

describe('mergeToList', () => {
  let folder: string
  let lists: LocalList[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakejobs-lists-'))
    const first = writeList(join(folder, '1.list'), [
      countsOf([
        ['a', 1, 0, 0, 200],
        ['b\n"', 2 ** 40, 0, 3, 0],
      ]),
    ])
    const second = writeList(join(folder, '2.list'), [
      countsOf([
        ['a', 0, 1, 0, 100],
        ['é', 1, 1, 1, 1],
      ]),
    ])
    lists = [first, { ...second, sha256: undefined }]
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is the list of the sums', async () => {
    const merged = mergeToList(lists, join(folder, 'all.list'))
    const sums = listOf(
      countsOf([
        ['a', 1, 1, 0, 300],
        ['b\n"', 2 ** 40, 0, 3, 0],
        ['é', 1, 1, 1, 1],
      ]),
    )
    expect(merged).toMatchObject({ path: join(folder, 'all.list'), size: sums.length })
    expect((await readFile(join(folder, 'all.list'))).equals(sums)).toBe(true)
  })

  it('makes none of a list that is not what it was, or is gone', async () => {
    const { path } = lists[0]!
    const bytes = await readFile(path)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(path, bytes)
    expect(mergeToList(lists, join(folder, 'all.list'))).toBeUndefined()
    await rm(path)
    expect(() => mergeToList(lists, join(folder, 'all.list'))).toThrow('ENOENT')
  })
})
