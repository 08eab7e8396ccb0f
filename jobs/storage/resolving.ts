import type { Deletion, FileIO } from './file-io.ts'

/**
 * One store over several: each location goes to the store of its scheme, so that a table may keep its metadata in one
 * and its data in another (`write.data.path`). `first` is the store of most of them, `open` finds those of the
 * other schemes, once each. Errors: those of `open`.
 */
export function resolvingFileIO(first: FileIO, open: (location: string) => Promise<FileIO>): FileIO {
  const others = new Map<string, Promise<FileIO>>()
  const storeOf = (location: string): Promise<FileIO> => {
    const scheme = location.slice(0, location.indexOf(':'))
    if (scheme === first.scheme) return Promise.resolve(first)
    const store = others.get(scheme) ?? open(location)
    others.set(scheme, store)
    return store
  }
  return {
    scheme: first.scheme,
    stat: async (location) => (await storeOf(location)).stat(location),
    read: async (location) => (await storeOf(location)).read(location),
    stream: async (location, range) => (await storeOf(location)).stream(location, range),
    write: async (location, body, options) => (await storeOf(location)).write(location, body, options),
    create: async (location, options) => (await storeOf(location)).create(location, options),
    delete: async (location) => (await storeOf(location)).delete(location),
    async deleteAll(locations, signal) {
      const byScheme = new Map<string, string[]>()
      for (const location of locations) {
        const scheme = location.slice(0, location.indexOf(':'))
        const some = byScheme.get(scheme)
        if (some === undefined) byScheme.set(scheme, [location])
        else some.push(location)
      }
      const deletions: Deletion[] = []
      for (const some of byScheme.values())
        deletions.push(await (await storeOf(some[0]!)).deleteAll(some, signal))
      return {
        failures: deletions.flatMap(({ failures }) => failures),
        hidden: deletions.reduce((sum, { hidden }) => sum + hidden, 0),
      }
    },
    async *list(prefix) {
      yield* (await storeOf(prefix)).list(prefix)
    },
    async *unpublished(prefix) {
      yield* (await storeOf(prefix)).unpublished(prefix)
    },
    discard: async (write) => (await storeOf(write.location)).discard(write),
    now: async (location) => (await storeOf(location)).now(location),
    localPath: (location) =>
      location.startsWith(`${first.scheme}:`) ? first.localPath(location) : undefined,
  }
}
