import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { mapConcurrently } from '../concurrency.ts'
import { hasLiveEntries, readManifestList } from '../iceberg/manifest/table-files.ts'
import { readFooter } from '../lake/footer/footer.ts'
import { entriesOf, planRead, type ReadTable } from '../lake/read-plan.ts'
import { chooseSnapshot, type SnapshotChoice } from '../lake/snapshot-choice.ts'
import type { FileIO } from '../storage/file-io.ts'
import { canonicalLocation } from '../storage/place.ts'

/** Bytes of manifests that are read ahead of a table, at most: the query may need few of them. */
const mostManifestBytes = 1_000_000
/** Of a table with more files none is looked into ahead. */
const mostFiles = 64
const filesAtOnce = 8

/** A store for files that never change, as seen by those who read ahead and by those who read behind them. */
export interface SharedReads {
  /** Keeps what it reads. */
  readonly ahead: FileIO
  /** Has from there what is kept, a failure too, and reads all else itself, keeping nothing. */
  readonly behind: FileIO
}

export function sharedReads(io: FileIO): SharedReads {
  const kept = new Map<string, Promise<Buffer>>()
  const keep = (key: string, read: () => Promise<Buffer>): Promise<Buffer> => {
    const bytes = kept.get(key) ?? read()
    kept.set(key, bytes)
    return bytes
  }
  const rangeKey = (location: string, range?: { readonly start: number; readonly end: number }): string =>
    range === undefined ? location : `${range.start} ${range.end} ${location}`
  const streamOf = (bytes: Buffer): Readable => Readable.from(bytes.length === 0 ? [] : [bytes])
  return {
    ahead: {
      ...io,
      read: (location) => keep(location, () => io.read(location)),
      stream: async (location, range) =>
        streamOf(await keep(rangeKey(location, range), async () => buffer(await io.stream(location, range)))),
    },
    behind: {
      ...io,
      read: (location) => kept.get(location) ?? io.read(location),
      async stream(location, range) {
        const bytes = kept.get(rangeKey(location, range))
        return bytes === undefined ? io.stream(location, range) : streamOf(await bytes)
      },
    },
  }
}

/**
 * Reads what a scan of a table will ask of a store that keeps it (`ahead`): its manifests, and the ends of its local files,
 * all of them, as nothing is known of the rows that are wanted. Of an object store, whose requests cost, no file; of a large
 * table less. Errors: those of a read.
 */
export async function readAhead(table: ReadTable, choice: SnapshotChoice): Promise<void> {
  const { name, metadata, io } = table
  const { snapshot } = chooseSnapshot(name, metadata, choice)
  const manifests = (await readManifestList(io, snapshot)).filter(hasLiveEntries)
  if (manifests.reduce((bytes, { manifestLength }) => bytes + manifestLength, 0) > mostManifestBytes) return
  const { files } = await planRead(table, { choice, tolerant: true })
  if (files.length > mostFiles) return
  const all = files.flatMap(({ file, deletes }) => [
    file,
    ...entriesOf({ ...deletes, vector: undefined }).map(({ dataFile }) => dataFile),
  ])
  const local = [...new Map(all.map((file) => [file.filePath, file])).values()].filter(
    ({ filePath }) => io.localPath(canonicalLocation(filePath)) !== undefined,
  )
  await mapConcurrently(local, filesAtOnce, (file) => readFooter(io, file))
}
