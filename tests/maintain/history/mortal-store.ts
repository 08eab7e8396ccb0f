import { utimes } from 'node:fs/promises'
import { JobError } from '../../../jobs/errors.ts'
import type { FileIO, OutputFile } from '../../../jobs/storage/file-io.ts'

/** Ends a run as SIGKILL does: whoever is dead has no effects any more, in its clean-up either. As a store's failure. */
export class Killed extends JobError {
  constructor() {
    super('failed', 'killed')
  }
}

/** What befalls a maintenance: it is killed ahead of its n-th call of the store, or others come at it. */
export interface Fate {
  readonly killAt: number
  readonly othersAt: number
  readonly others: () => Promise<void>
  /** A share of the objects that are to be removed are refused. */
  readonly refuses: boolean
}

/** A store that a test lets fail for one process while others go on. */
export interface MortalStore {
  readonly io: FileIO
  /** Runs one process; its calls of the store are counted from here on. */
  live<T>(fate: Fate, work: () => Promise<T>): Promise<T>
}

/** A folder's files, dated by a clock that the test moves; the store's is `aheadMs` ahead of ours, or behind it. */
export function datedIO(io: FileIO, clock: { readonly ms: number }, aheadMs = 0): FileIO {
  const date = async <T extends { readonly location: string }>(written: T): Promise<T> => {
    const seconds = (clock.ms + aheadMs) / 1000
    await utimes(io.localPath(written.location)!, seconds, seconds)
    return written
  }
  return {
    ...io,
    now: () => Promise.resolve(clock.ms + aheadMs),
    write: async (...given) => date(await io.write(...given)),
    create: async (...given) => {
      const file = await io.create(...given)
      return { ...file, close: async (look) => date(await file.close(look)) }
    },
  }
}

export function mortalStore(io: FileIO): MortalStore {
  let fate: Fate | undefined
  let calls = 0
  const call = async (): Promise<void> => {
    if (fate === undefined) return
    const mine = fate
    calls++
    if (calls === mine.othersAt) {
      const before = calls
      fate = undefined
      try {
        await mine.others()
      } finally {
        ;[fate, calls] = [mine, before]
      }
    }
    if (calls >= mine.killAt) throw new Killed()
  }
  const mortalFile = (file: OutputFile): OutputFile => ({
    write: async (chunk) => (await call(), file.write(chunk)),
    async close(look) {
      await call().catch(async (killed: unknown) => {
        await file.abort()
        throw killed
      })
      const written = await file.close(look)
      await call()
      return written
    },
    // What nobody sees: the system closes it.
    abort: () => file.abort(),
  })
  const mortal: FileIO = {
    ...io,
    stat: async (location) => (await call(), io.stat(location)),
    read: async (location) => (await call(), io.read(location)),
    stream: async (...given) => (await call(), io.stream(...given)),
    async write(...given) {
      await call()
      const written = await io.write(...given)
      // Between a metadata file and the pointer to it, too.
      await call()
      return written
    },
    create: async (...given) => (await call(), mortalFile(await io.create(...given))),
    delete: async (location) => (await call(), io.delete(location)),
    async deleteAll(locations) {
      const failures: { location: string; error: Error }[] = []
      for (const [index, location] of locations.entries()) {
        await call()
        if (fate?.refuses === true && index % 3 === 0)
          failures.push({ location, error: new Error('refused') })
        else await io.delete(location)
      }
      return { failures, hidden: 0 }
    },
    async *list(prefix) {
      await call()
      for await (const stat of io.list(prefix)) {
        yield stat
        // Pages that move repeat what was there.
        if (fate !== undefined) yield stat
      }
      await call()
    },
  }
  return {
    io: mortal,
    async live(given, work) {
      ;[fate, calls] = [given, 0]
      try {
        return await work()
      } finally {
        fate = undefined
      }
    },
  }
}
