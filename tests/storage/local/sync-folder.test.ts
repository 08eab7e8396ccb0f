import { expect, it } from '@jest/globals'
import { folderSyncs } from '../../../jobs/storage/local/sync-folder.ts'

/** Syncs that end when they are told to, and the folders of those begun. */
function steered(): { begun: string[]; sync: (folder: string) => Promise<void>; end: (at: number) => void } {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const sync = (folder: string): Promise<void> => {
    begun.push(folder)
    return new Promise((resolve) => ends.push(resolve))
  }
  return {
    begun,
    sync,
    end: (at) => {
      ends[at]!()
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('who comes while a folder is synced shares one that begins afterwards', async () => {
  const { begun, sync, end } = steered()
  const { names } = folderSyncs(sync)
  const done: number[] = []
  for (const who of [0, 1, 2]) void names('/t').then(() => done.push(who))
  await turn()
  expect(begun).toEqual(['/t'])
  end(0)
  await turn()
  expect([begun, done]).toEqual([['/t', '/t'], [0]])
  end(1)
  await turn()
  expect([begun, done]).toEqual([
    ['/t', '/t'],
    [0, 1, 2],
  ])
})

it('names of folders made are durable before the first file that needs them, whoever made them', async () => {
  const { begun, sync, end } = steered()
  const { made, parents } = folderSyncs(sync)
  made('/t/data', '/t/data/n=1')
  const done: string[] = []
  void parents('/t/data/n=1').then(() => done.push('first'))
  void parents('/t/data/n=1').then(() => done.push('second'))
  void parents('/t/other').then(() => done.push('other'))
  await turn()
  expect([begun, done]).toEqual([['/t/data', '/t'], ['other']])
  for (const at of [0, 1]) end(at)
  await turn()
  for (const at of [2, 3]) end(at)
  await turn()
  expect(done).toEqual(['other', 'first', 'second'])
  await parents('/t/data/n=1')
  expect(begun).toHaveLength(4)
})

it('folders made at a time share the sync of the one above', async () => {
  const begun: string[] = []
  const { made, parents } = folderSyncs(async (folder) => {
    begun.push(folder)
    await turn()
  })
  for (let n = 0; n < 100; n++) made(`/t/n=${n}`, `/t/n=${n}`)
  await Promise.all(Array.from({ length: 100 }, (_, n) => parents(`/t/n=${n}`)))
  expect(begun).toEqual(['/t', '/t'])
})

it('a sync that fails fails those that share it, and no later one', async () => {
  let count = 0
  const { names } = folderSyncs(async () => {
    await turn()
    if (++count < 3) throw new Error(`no ${count}`)
  })
  const all = await Promise.allSettled([names('/t'), names('/t'), names('/t')])
  expect(all.map((each) => each.status === 'rejected' && String(each.reason))).toEqual([
    'Error: no 1',
    'Error: no 2',
    'Error: no 2',
  ])
  await names('/t')
})
