import { rm, rmdir } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { basename, join } from '../../storage/place.ts'

/** What Spark writes for a run on its way into the cache or a result: below `spark/<run id>` of the cache. */
export interface TemporaryFolder {
  readonly io: FileIO
  /** The place for files of that name, of this run alone. */
  place(name: string): string
  /** The data files that Spark wrote there, in their order. */
  filesOf(name: string): Promise<string[]>
  /** Removes all of it. Never fails: names what stays. */
  remove(): Promise<void>
}

/** Older, no run writes there any more: what a killed one left. */
const abandonedMs = 48 * 3_600_000

export function temporaryFolder(io: FileIO, cache: string, runId: string, logger: Logger): TemporaryFolder {
  const root = join(cache, 'spark')
  const own = join(root, runId)

  const removeBelow = async (place: string, files: readonly FileStat[]): Promise<void> => {
    const { failures } = await io.deleteAll(files.map(({ location }) => location))
    const path = io.localPath(place)
    // Spark's folders, and its hidden checksum files.
    if (path !== undefined) await rm(path, { recursive: true, force: true })
    if (failures.length > 0) throw failures[0]!.error
  }
  const below = async (place: string): Promise<FileStat[]> => {
    const files: FileStat[] = []
    for await (const file of io.list(place)) files.push(file)
    return files
  }

  return {
    io,
    place: (name) => join(own, name),
    async filesOf(name) {
      const parts = (await below(join(own, name))).flatMap(({ location }) => {
        const [, number] = /^part-(\d+)-/.exec(basename(location)) ?? []
        return number === undefined ? [] : [{ location, number: Number(number) }]
      })
      return parts.sort((a, b) => a.number - b.number).map(({ location }) => location)
    },
    async remove() {
      try {
        await removeBelow(own, await below(own))
        const all = (await below(root)).map((file) => ({
          file,
          run: file.location.slice(root.length + 1).split('/')[0]!,
        }))
        for (const run of new Set(all.map((one) => one.run))) {
          const files = all.filter((one) => one.run === run).map(({ file }) => file)
          const newest = Math.max(...files.map(({ modifiedMs }) => modifiedMs))
          if (newest + abandonedMs < (await io.now(root))) await removeBelow(join(root, run), files)
        }
        const path = io.localPath(root)
        // Where nobody else writes.
        if (path !== undefined) await rmdir(path).catch(() => undefined)
      } catch (error) {
        logger.warn({ place: own, err: error }, `temporary files of Spark could not be removed: ${own}`)
      }
    },
  }
}
