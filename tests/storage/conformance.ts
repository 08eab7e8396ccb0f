import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { FileChanged, FileExists, FileNotFound } from '../../jobs/storage/errors.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { listed } from './listed.ts'
import { unpublishedWrites } from './unpublished-writes.ts'

/** A store under test: an empty place in it, and what unpublished writes have left there. */
export interface Subject {
  readonly io: FileIO
  readonly root: string
  leftovers(): Promise<readonly string[]>
  stop(): Promise<void>
}

const text = (value: string): Buffer => Buffer.from(value)

const locations = async (io: FileIO, prefix: string): Promise<readonly string[]> =>
  (await listed(io, prefix)).map(({ location }) => location)

/**
 * What every `FileIO` must do; see the interface. `decidesReplacement`: false where what comes within an instant before
 * a file appears may be replaced unseen.
 */
export function fileIOConformance(
  name: string,
  make: () => Promise<Subject>,
  { decidesReplacement = true }: { readonly decidesReplacement?: boolean } = {},
): void {
  describe(`FileIO: ${name}`, () => {
    let io: FileIO
    let subject: Subject
    let count = 0
    /** A place of its own for each test. */
    const place = (): string => `${subject.root}/t${++count}`

    beforeAll(async () => {
      subject = await make()
      io = subject.io
    })
    afterAll(() => subject.stop())

    it('reads back what was written, and replaces it', async () => {
      const at = `${place()}/a/b/c.txt`
      const first = await io.write(at, text('one'))
      expect((await io.read(at)).toString()).toBe('one')
      expect(first).toMatchObject({ location: at, size: 3 })
      expect(await io.stat(at)).toMatchObject({ location: at, size: 3, identity: first.identity })
      await io.write(at, text('three'))
      expect((await buffer(await io.stream(at))).toString()).toBe('three')
    })

    it('dates what was written', async () => {
      const at = `${place()}/x`
      await io.write(at, text('x'))
      expect(Math.abs(Date.now() - ((await io.stat(at))?.modifiedMs ?? 0))).toBeLessThan(60_000)
    })

    it('holds empty objects', async () => {
      const root = place()
      await io.write(`${root}/empty`, Buffer.alloc(0))
      const file = await io.create(`${root}/untouched`)
      expect(await file.close()).toMatchObject({ size: 0 })
      for (const at of [`${root}/empty`, `${root}/untouched`]) {
        expect(await io.stat(at)).toMatchObject({ size: 0 })
        expect((await io.read(at)).length).toBe(0)
        expect((await buffer(await io.stream(at))).length).toBe(0)
        expect((await buffer(await io.stream(at, { start: 0, end: 5 }))).length).toBe(0)
      }
    })

    it('streams 20 MB through one reused chunk', async () => {
      const at = `${place()}/big`
      const hash = createHash('sha256')
      const chunk = Buffer.alloc(300_001)
      const file = await io.create(at)
      let size = 0
      for (let i = 0; size < 20_000_000; i++) {
        chunk.fill(i)
        hash.update(chunk)
        await file.write(chunk)
        size += chunk.length
      }
      chunk.fill(255)
      expect((await file.close()).size).toBe(size)
      const back = createHash('sha256')
      for await (const part of (await io.stream(at)) as AsyncIterable<Buffer>) back.update(part)
      expect(back.digest('hex')).toBe(hash.digest('hex'))
    })

    it('reads ranges, clipped to the object', async () => {
      const at = `${place()}/digits`
      await io.write(at, text('0123456789'))
      const range = async (start: number, end: number): Promise<string> =>
        (await buffer(await io.stream(at, { start, end }))).toString()
      expect(await range(0, 1)).toBe('0')
      expect(await range(3, 6)).toBe('345')
      expect(await range(8, 100)).toBe('89')
      expect(await range(4, 4)).toBe('')
      expect(await range(10, 12)).toBe('')
    })

    unpublishedWrites(() => io, place)

    it('tells the time by which it dates', async () => {
      const at = `${place()}/x`
      const before = await io.now(at)
      await io.write(at, text('x'))
      const { modifiedMs } = (await io.stat(at))!
      expect(modifiedMs).toBeGreaterThanOrEqual(before - 1000)
      expect(modifiedMs).toBeLessThanOrEqual((await io.now(at)) + 1000)
    })

    it('lists below a prefix and nothing else', async () => {
      const root = place()
      for (const key of ['a/b/1', 'a/b/c/2', 'a/bc', 'a/b.csv', 'z'])
        await io.write(`${root}/${key}`, text(key))
      expect(await locations(io, `${root}/a/b`)).toEqual([`${root}/a/b/1`, `${root}/a/b/c/2`])
      expect(await locations(io, `${root}/a/b/`)).toEqual([`${root}/a/b/1`, `${root}/a/b/c/2`])
      expect(await locations(io, `${root}/none`)).toEqual([])
      expect(await locations(io, `${root}/z`)).toEqual([])
      expect(await listed(io, `${root}/a/b/c`)).toEqual([await io.stat(`${root}/a/b/c/2`)])
    })

    it.each([
      'with space',
      'a#b?c',
      '100%',
      '%20',
      'a+b&c=d',
      'ünï-日本-🧊',
      'q\'"(x)',
      'timestamp_day=2024-09-24',
    ])('takes the name %s as it is', async (key) => {
      const at = `${place()}/${key}/${key}.csv`
      await io.write(at, text(key))
      expect((await io.read(at)).toString()).toBe(key)
      expect((await buffer(await io.stream(at))).toString()).toBe(key)
      expect(await locations(io, at.slice(0, at.lastIndexOf('/')))).toEqual([at])
      await io.delete(at)
      expect(await io.stat(at)).toBeUndefined()
    })

    it('says what is not there', async () => {
      const root = place()
      await io.write(`${root}/folder/file`, text('x'))
      for (const at of [`${root}/none`, `${root}/folder`, `${root}/folder/file/below`]) {
        expect(await io.stat(at)).toBeUndefined()
        await expect(io.read(at)).rejects.toBeInstanceOf(FileNotFound)
        await expect(io.stream(at)).rejects.toBeInstanceOf(FileNotFound)
        await expect(io.stream(at, { start: 2, end: 2 })).rejects.toMatchObject({ code: 'data', field: at })
      }
    })

    it('deletes, again and again', async () => {
      const root = place()
      await io.write(`${root}/folder/file`, text('x'))
      await io.delete(`${root}/folder`)
      expect(await locations(io, root)).toEqual([`${root}/folder/file`])
      for (let i = 0; i < 3; i++) await io.delete(`${root}/folder/file`)
      expect(await locations(io, root)).toEqual([])
    })

    it('deletes many, those that are not there among them, and no other', async () => {
      const root = place()
      const names = ['a&b<c>"d"', 'ä ö+%20', 'f/g', ...Array.from({ length: 300 }, (_, n) => `many/${n}`)]
      await Promise.all([...names, 'stays'].map((name) => io.write(`${root}/${name}`, text(name))))
      const all = [...names, 'never there'].map((name) => `${root}/${name}`)
      expect(await io.deleteAll(all)).toEqual({ failures: [], hidden: 0 })
      expect(await locations(io, root)).toEqual([`${root}/stays`])
      expect(await io.deleteAll([])).toEqual({ failures: [], hidden: 0 })
      const reason = new Error('stopped')
      await expect(io.deleteAll([`${root}/stays`], AbortSignal.abort(reason))).rejects.toBe(reason)
      expect(await locations(io, root)).toEqual([`${root}/stays`])
    })

    it('shows nothing before close', async () => {
      const root = place()
      const file = await io.create(`${root}/x`)
      await file.write(text('half'))
      expect(await io.stat(`${root}/x`)).toBeUndefined()
      expect(await locations(io, root)).toEqual([])
      await file.close()
      expect(await locations(io, root)).toEqual([`${root}/x`])
    })

    it('keeps the old content until close, and after abort', async () => {
      const at = `${place()}/x`
      await io.write(at, text('old'))
      const file = await io.create(at)
      await file.write(text('new'))
      expect((await io.read(at)).toString()).toBe('old')
      await file.abort()
      expect((await io.read(at)).toString()).toBe('old')
    })

    it('creates only where nothing is', async () => {
      const at = `${place()}/once`
      await io.write(at, text('first'), { ifAbsent: true })
      await expect(io.write(at, text('second'), { ifAbsent: true })).rejects.toBeInstanceOf(FileExists)
      await expect(io.write(at, text('second'), { ifAbsent: true })).rejects.toMatchObject({
        code: 'conflict',
      })
      expect((await io.read(at)).toString()).toBe('first')
      await io.write(at, text('third'))
      expect((await io.read(at)).toString()).toBe('third')
      expect(await subject.leftovers()).toEqual([])
    })

    it.each([1, 6 << 20, 10 << 20])('lets one of many creators of %d bytes win', async (size) => {
      const at = `${place()}/race`
      const creators = Array.from({ length: size === 1 ? 8 : 2 }, async (_, i) => {
        const file = await io.create(at, { ifAbsent: true })
        await file.write(Buffer.alloc(size, i))
        return file
      })
      const files = await Promise.all(creators)
      const results = await Promise.allSettled(files.map((file) => file.close()))
      const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
      expect(winners).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(FileExists)
      }
      const content = await io.read(at)
      expect(content.equals(Buffer.alloc(size, winners[0]))).toBe(true)
      expect(await subject.leftovers()).toEqual([])
    })

    it.each([4, 10 << 20])('replaces with %d bytes what was looked at, and looks again', async (size) => {
      const at = `${place()}/x`
      for (const before of [undefined, 'before']) {
        if (before !== undefined) await io.write(at, text(before))
        const file = await io.create(at)
        await file.write(Buffer.alloc(size, before))
        const seen: (string | undefined)[] = []
        const others: (string | undefined)[] = []
        const written = await file.close(async () => {
          seen.push((await io.stat(at))?.identity)
          if (others.length < 3) others.push((await io.write(at, text(`other ${others.length}`))).identity)
          return seen.at(-1)
        })
        expect(seen.slice(1)).toEqual(others)
        expect(await io.stat(at)).toMatchObject({ size, identity: written.identity })
        await io.delete(at)
      }
      expect(await subject.leftovers()).toEqual([])
    })

    it.each([4, 10 << 20])('looks again when what %d bytes were to replace is gone', async (size) => {
      const at = `${place()}/x`
      await io.write(at, text('before'))
      const file = await io.create(at)
      await file.write(Buffer.alloc(size))
      let looks = 0
      await file.close(async () => {
        const found = await io.stat(at)
        if (looks++ === 0) await io.delete(at)
        return found?.identity
      })
      expect(looks).toBe(2)
      expect(await io.stat(at)).toMatchObject({ size })
    })

    it.each([4, 10 << 20])('gives up over %d bytes when others always come first', async (size) => {
      const at = `${place()}/x`
      const file = await io.create(at)
      await file.write(Buffer.alloc(size))
      let looks = 0
      const closing = file.close(async () => {
        const found = await io.stat(at)
        await io.write(at, text(`other ${++looks}`))
        return found?.identity
      })
      await expect(closing).rejects.toBeInstanceOf(FileChanged)
      await expect(closing).rejects.toMatchObject({ code: 'conflict', field: at })
      expect((await io.read(at)).toString()).toBe(`other ${looks}`)
      expect(await subject.leftovers()).toEqual([])
    })

    it.each([4, 10 << 20])('drops %d bytes that must not replace what was seen', async (size) => {
      const at = `${place()}/x`
      await io.write(at, text('later'))
      const file = await io.create(at)
      await file.write(Buffer.alloc(size))
      const refusal = new Error('a later one is there')
      await expect(file.close(() => Promise.reject(refusal))).rejects.toBe(refusal)
      expect((await io.read(at)).toString()).toBe('later')
      expect(await subject.leftovers()).toEqual([])
    })

    if (decidesReplacement) {
      it.each([1, 10 << 20])(
        'lets none of many writers of %d bytes replace what it has not seen',
        async (size) => {
          const at = `${place()}/race`
          const replaced: (string | undefined)[] = []
          const written: string[] = []
          const writing = Array.from({ length: size === 1 ? 8 : 3 }, async (_, i) => {
            const file = await io.create(at)
            await file.write(Buffer.alloc(size, i))
            let seen: string | undefined
            const { identity } = await file.close(async () => (seen = (await io.stat(at))?.identity))
            replaced.push(seen)
            written.push(identity)
          })
          for (const result of await Promise.allSettled(writing)) {
            if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(FileChanged)
          }
          const last = (await io.stat(at))?.identity
          // A chain from nothing to what is there: each was replaced once, by one that had seen it.
          expect(written.length).toBeGreaterThan(1)
          expect(replaced.toSorted()).toEqual(
            [...written.filter((one) => one !== last), undefined].toSorted(),
          )
        },
      )
    }

    it('leaves nothing after abort, at any time, any number of times', async () => {
      const root = place()
      for (const size of [0, 10, 18 << 20]) {
        const file = await io.create(`${root}/x`)
        if (size > 0) await file.write(Buffer.alloc(size))
        await file.abort()
        await file.abort()
        await expect(file.write(text('more'))).rejects.toThrow('aborted')
        await expect(file.close()).rejects.toThrow('aborted')
      }
      const file = await io.create(`${root}/x`)
      const writing = file.write(Buffer.alloc(18 << 20)).catch(() => 'failed')
      await file.abort()
      await writing
      expect(await locations(io, root)).toEqual([])
      expect(await subject.leftovers()).toEqual([])
    })

    it('keeps what is published when it is aborted afterwards', async () => {
      const at = `${place()}/x`
      const file = await io.create(at)
      await file.write(text('done'))
      const closed = await file.close()
      await file.abort()
      expect(await file.close()).toEqual(closed)
      await expect(file.write(text('more'))).rejects.toThrow('after close')
      expect((await io.read(at)).toString()).toBe('done')
    })

    it('gives changed content of the same size another identity', async () => {
      const at = `${place()}/x`
      const one = await io.write(at, text('aaaa'))
      const two = await io.write(at, text('bbbb'))
      expect(two.identity).not.toBe(one.identity)
      expect((await io.stat(at))?.identity).toBe(two.identity)
      expect((await io.stat(at))?.identity).toBe(two.identity)
    })

    it('stops with the reason of its signal', async () => {
      const root = place()
      const reason = new Error('stopped by the test')
      const before = AbortSignal.abort(reason)
      await expect(io.create(`${root}/x`, { signal: before })).rejects.toBe(reason)
      await expect(io.write(`${root}/x`, text('x'), { signal: before })).rejects.toBe(reason)

      const controller = new AbortController()
      const file = await io.create(`${root}/x`, { signal: controller.signal })
      await file.write(Buffer.alloc(18 << 20))
      controller.abort(reason)
      await expect(file.write(text('more'))).rejects.toBe(reason)
      await expect(file.close()).rejects.toBe(reason)
      await file.abort()
      expect(await locations(io, root)).toEqual([])
      expect(await subject.leftovers()).toEqual([])
    })

    it('is not touched by a signal after close', async () => {
      const at = `${place()}/x`
      const controller = new AbortController()
      await io.write(at, text('x'), { signal: controller.signal })
      controller.abort(new Error('late'))
      expect((await io.read(at)).toString()).toBe('x')
    })
  })
}
