import { msPerDay } from '../../calendar.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { basename } from '../../storage/place.ts'
import { parseDayEntry, parseWindowEntry } from './entry.ts'

/** What a newer entry replaces, or no entry names, may still be in use by a run that began before. */
const graceMs = 3_600_000

/** `2024-09-10.0123456789abcdef` or `2024-09-10.7d.0123456789abcdef`, then an own hash or nothing, then the ending. */
const cacheName =
  /^(\d{4}-\d\d-\d\d(?:\.\d+d)?)\.([0-9a-f]{16})(?:\.([0-9a-f]{16}))?\.(json|parquet|list|csv|rejects)$/

interface CacheFile {
  readonly file: FileStat
  /** The day, or the window's last day and length. */
  readonly subject: string
  readonly key: string
  readonly ending: string
}

const oursOf = (files: readonly FileStat[]): CacheFile[] =>
  files.flatMap((file) => {
    const [, subject, key, , ending] = cacheName.exec(basename(file.location)) ?? []
    return subject === undefined || key === undefined || ending === undefined
      ? []
      : [{ file, subject, key, ending }]
  })

/**
 * Removes from the cache at `place` entries that a newer one of the same day or window replaces, entries that were
 * written more than `keepDays` days ago, and files that no entry names. Nothing younger than an hour is touched, and
 * nothing that is not named like ours.
 */
export async function pruneCache(io: FileIO, place: string, keepDays: number, now: Date): Promise<void> {
  const files: FileStat[] = []
  for await (const file of io.list(place)) files.push(file)
  const replaced = new Set(superseded(files, keepDays, now))
  const left = files.filter(({ location }) => !replaced.has(location))
  await Promise.all([...replaced, ...(await unnamed(io, left, now))].map((location) => io.delete(location)))
}

/**
 * Of `files` those beside an entry that does not name them: runs that failed or were killed have left them. An entry is
 * read where there are several files of an ending; one that cannot be read keeps all.
 */
async function unnamed(io: FileIO, files: readonly FileStat[], now: Date): Promise<string[]> {
  const graceEnd = now.getTime() - graceMs
  const entries = new Map<string, string>()
  const alike = new Map<string, FileStat[]>()
  for (const { file, subject, key, ending } of oursOf(files)) {
    const name = `${subject}.${key}`
    if (ending === 'json') entries.set(name, file.location)
    else alike.set(`${name}.${ending}`, [...(alike.get(`${name}.${ending}`) ?? []), file])
  }
  const gone: string[] = []
  for (const [name, group] of alike) {
    const entry = group.length > 1 ? entries.get(name.slice(0, name.lastIndexOf('.'))) : undefined
    const named = entry === undefined ? undefined : await namesIn(io, entry)
    if (named === undefined) continue
    for (const { location, modifiedMs } of group)
      if (modifiedMs < graceEnd && !named.has(basename(location))) gone.push(location)
  }
  return gone
}

/** The names of the files of the entry at `location`. */
async function namesIn(io: FileIO, location: string): Promise<ReadonlySet<string> | undefined> {
  const text = (await io.read(location).catch(() => undefined))?.toString() ?? ''
  const day = parseDayEntry(text)
  const named = day === undefined ? [parseWindowEntry(text)?.result] : [day.counts, day.list, day.rejectsFile]
  const names = named.flatMap((file) => (file === undefined ? [] : [basename(file.name)]))
  return names.length === 0 ? undefined : new Set(names)
}

/** The locations of `files` that a newer entry replaces, that are too old, or that have no entry. */
export function superseded(files: readonly FileStat[], keepDays: number, now: Date): string[] {
  const graceEnd = now.getTime() - graceMs
  const oldest = now.getTime() - keepDays * msPerDay
  const subjects = new Map<string, { key: string; modifiedMs: number }>()
  const ours = oursOf(files)
  for (const { file, subject, key, ending } of ours) {
    const newest = subjects.get(subject)
    if (ending === 'json' && (newest === undefined || newest.modifiedMs < file.modifiedMs)) {
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
