import { Readable } from 'node:stream'
import { deleteSingly } from './delete-singly.ts'
import { FileChanged, FileExists, FileNotFound } from './errors.ts'
import type { FileIO, FileStat } from './file-io.ts'
import { outputFile, publishOver, writeWhole } from './output-file.ts'

interface Stored {
  readonly bytes: Buffer
  readonly stat: FileStat
}

/**
 * A store in memory with the semantics of the real ones, for tests and dry runs. Locations are
 * `memory://store/key`. `now` dates the objects.
 */
export function memoryFileIO(now: () => Date): FileIO {
  const objects = new Map<string, Stored>()
  let writes = 0

  const existing = (location: string): Stored => {
    const stored = objects.get(location)
    if (stored === undefined) throw new FileNotFound(location)
    return stored
  }

  const create: FileIO['create'] = async (location, options = {}) => {
    options.signal?.throwIfAborted()
    const chunks: Buffer[] = []
    const put = (): FileStat => {
      const bytes = Buffer.concat(chunks)
      const stat = { location, size: bytes.length, identity: String(++writes), modifiedMs: now().getTime() }
      objects.set(location, { bytes, stat })
      return stat
    }
    return Promise.resolve(
      outputFile(
        {
          write(chunk) {
            chunks.push(Buffer.from(chunk))
            return Promise.resolve()
          },
          async publish(look) {
            if (options.ifAbsent === true && objects.has(location)) throw new FileExists(location)
            if (look === undefined) return Promise.resolve(put())
            return publishOver(look, async (seen) => {
              if (objects.get(location)?.stat.identity !== seen) throw new FileChanged(location)
              return Promise.resolve(put())
            })
          },
          discard() {
            chunks.length = 0
            return Promise.resolve()
          },
        },
        options.signal,
      ),
    )
  }

  const remove = (location: string): Promise<boolean> => {
    objects.delete(location)
    return Promise.resolve(false)
  }

  return {
    scheme: 'memory',
    stat: (location) => Promise.resolve(objects.get(location)?.stat),
    read: async (location) => Promise.resolve(Buffer.from(existing(location).bytes)),
    async stream(location, range) {
      const { bytes } = existing(location)
      const end = range === undefined ? bytes.length : Math.max(range.start, range.end)
      return Promise.resolve(Readable.from([Buffer.from(bytes.subarray(range?.start ?? 0, end))]))
    },
    write: (location, body, options) => writeWhole(create, location, body, options),
    create,
    delete: async (location) => {
      await remove(location)
    },
    deleteAll: (locations, signal) => deleteSingly(remove, locations, signal),
    async *list(prefix) {
      const start = prefix.endsWith('/') ? prefix : `${prefix}/`
      await Promise.resolve()
      for (const [location, { stat }] of [...objects]) if (location.startsWith(start)) yield stat
    },
    // What is written is in the writer's own memory.
    async *unpublished() {
      await Promise.resolve()
    },
    discard: () => Promise.resolve(),
    now: () => Promise.resolve(now().getTime()),
    localPath: () => undefined,
  }
}
