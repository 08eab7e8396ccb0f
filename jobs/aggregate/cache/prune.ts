import { msPerDay } from '../../calendar.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { basename } from '../../storage/place.ts'

/** What a newer entry replaces, or no entry names, may still be in use by a run that began before. */
const graceMs = 3_600_000

/** `2024-09-10.0123456789abcdef` or `2024-09-10.7d.0123456789abcdef`, then an own hash or nothing, then the ending. */
const cacheName =
  /^(\d{4}-\d\d-\d\d(?:\.\d+d)?)\.([0-9a-f]{16})(?:\.([0-9a-f]{16}))?\.(json|parquet|list|csv|rejects)$/

/**
 * Removes from the cache at `place` entries that a newer one of the same day or window replaces, entries that were
 * written more than `keepDays` days ago, and files without an entry. Nothing younger than an hour is touched, and
 * nothing that is not named like ours.
 */
export async function pruneCache(io: FileIO, place: string, keepDays: number, now: Date): Promise<void> {
  const files: FileStat[] = []
  for await (const file of io.list(place)) files.push(file)
  await Promise.all(superseded(files, keepDays, now).map((location) => io.delete(location)))
}

/** The locations of `files` that are to go. */
export function superseded(files: readonly FileStat[], keepDays: number, now: Date): string[] {
  const graceEnd = now.getTime() - graceMs
  const oldest = now.getTime() - keepDays * msPerDay
  const subjects = new Map<string, { key: string; modifiedMs: number }>()
  const ours = files.flatMap((file) => {
    const [, subject, key, , ending] = cacheName.exec(basename(file.location)) ?? []
    return subject === undefined || key === undefined
      ? []
      : [{ file, subject, key, entry: ending === 'json' }]
  })
  for (const { file, subject, key, entry } of ours) {
    const newest = subjects.get(subject)
    if (entry && (newest === undefined || newest.modifiedMs < file.modifiedMs)) {
      subjects.set(subject, { key, modifiedMs: file.modifiedMs })
    }
  }
  return ours
    .filter(({ file }) => file.modifiedMs < graceEnd)
    .filter(({ subject, key }) => {
      // An entry is written again when its log was only touched, its files are not: they are as old as the entry.
      const newest = subjects.get(subject)
      return newest?.key !== key || newest.modifiedMs < oldest
    })
    .map(({ file }) => file.location)
}
