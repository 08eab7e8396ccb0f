import { expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FileIO, UnpublishedWrite } from '../../jobs/storage/file-io.ts'
import { listed } from './listed.ts'

/** What every `FileIO` tells of writes that were begun, and drops of them. `place`: another one each time. */
export function unpublishedWrites(store: () => FileIO, place: () => string): void {
  it('tells what was begun below a prefix and not published, apart from what it lists', async () => {
    const [io, root, beside] = [store(), place(), place()]
    const files = [await io.create(`${root}/a/large`), await io.create(`${beside}/large`)]
    for (const file of files) for (let part = 0; part < 3; part++) await file.write(Buffer.alloc(9 << 20))
    const unpublished = async (prefix: string): Promise<readonly UnpublishedWrite[]> => {
      const found: UnpublishedWrite[] = []
      for await (const one of io.unpublished(prefix)) found.push(one)
      return found
    }
    expect(await listed(io, root)).toEqual([])
    if (!root.startsWith('memory:')) {
      // Parts are on their way while the next are written.
      let [found, more] = await unpublished(root)
      for (let tries = 0; (found?.size ?? 0) === 0 && tries < 100; tries++) {
        await sleep(50)
        ;[found, more] = await unpublished(root)
      }
      expect(more).toBeUndefined()
      expect(found?.location.startsWith(`${root}/a/`)).toBe(true)
      expect(found?.size).toBeGreaterThan(0)
      expect(Math.abs(Date.now() - found!.begunMs)).toBeLessThan(60_000)
    }
    await files[0]!.close()
    await files[1]!.abort()
    expect([...(await unpublished(root)), ...(await unpublished(beside))]).toEqual([])
    expect((await listed(io, root)).map(({ location }) => location)).toEqual([`${root}/a/large`])
  })

  it('drops what was begun and not published; what is gone already is done', async () => {
    const [io, root] = [store(), place()]
    const file = await io.create(`${root}/a/large`)
    for (let part = 0; part < 3; part++) await file.write(Buffer.alloc(9 << 20))
    let found: UnpublishedWrite | undefined
    for (let tries = 0; found === undefined && tries < 100 && !root.startsWith('memory:'); tries++) {
      await sleep(50)
      for await (const one of io.unpublished(root)) found = one
    }
    if (found !== undefined) {
      await io.discard(found)
      await io.discard(found)
      for await (const one of io.unpublished(root)) expect(one).toBeUndefined()
      await expect(file.close()).rejects.toThrow()
    }
    await file.abort()
    expect(await listed(io, root)).toEqual([])
  })
}
