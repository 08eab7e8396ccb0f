import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { Day } from '../../calendar.ts'
import { causes } from '../log/likely-cause.ts'

/** Part of every key: what is cached under another version is not seen, and pruned in time. */
export const cacheVersion = 2

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const cachedFile = v.object({ name: v.string(), size: count, sha256 })

const dayEntry = v.object({
  version: v.literal(cacheVersion),
  day: v.string(),
  /** Of its log (log/source.ts). */
  key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}(?:\.gz)?$/)),
  source: v.object({
    location: v.string(),
    identity: v.string(),
    size: count,
    /** The clock before the log was read, milliseconds since 1970. */
    readMs: v.number(),
  }),
  counts: cachedFile,
  /** The same counts as a list (lists/), which is quicker to merge. */
  list: v.optional(cachedFile),
  emails: count,
  rejectsFile: v.optional(cachedFile),
  /** What the log seems to be instead (log/likely-cause.ts), where most of it was rejected. */
  likelyCause: v.optional(v.picklist(causes)),
  totals: v.object({
    bytes: count,
    rejectedBytes: count,
    rows: count,
    events: v.tuple([count, count, count, count]),
    emailBytes: count,
    rejects: count,
    blankLines: count,
    headerLines: count,
    otherDayRows: count,
  }),
})

const windowEntry = v.object({
  version: v.literal(cacheVersion),
  last: v.string(),
  key: sha256,
  result: cachedFile,
  rows: count,
})

/** A file beside its description, by its bytes. */
export type CachedFile = v.InferOutput<typeof cachedFile>
/** What is known of one day's log, and where its counts are. Written last: it makes the day's files count. */
export type DayEntry = v.InferOutput<typeof dayEntry>
/** A window's finished result, under the keys of its days. */
export type WindowEntry = v.InferOutput<typeof windowEntry>

/** Where an entry is below the cache; its files are beside it, under the same name with another ending. */
export const dayEntryName = (day: Day, key: string): string => `${day}/${day}.${key.slice(0, 16)}.json`
export const windowEntryName = (last: Day, length: number, key: string): string =>
  `windows/${last}.${length}d.${key.slice(0, 16)}.json`

export const parseDayEntry = (text: string): DayEntry | undefined => parse(dayEntry, text)
export const parseWindowEntry = (text: string): WindowEntry | undefined => parse(windowEntry, text)

const sealed = v.object({ sha256, entry: v.unknown() })

/** The entry as text, with a checksum over all of it: whatever changes a number in it, disk or hand, is noticed. */
export const entryText = (entry: DayEntry | WindowEntry): string =>
  `${JSON.stringify({ sha256: checksumOf(entry), entry }, null, 1)}\n`

/** Undefined for what is not ours: cut short, changed, foreign, of another version. */
function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
): v.InferOutput<Schema> | undefined {
  try {
    const seal = v.parse(sealed, JSON.parse(text))
    if (checksumOf(seal.entry) !== seal.sha256) return undefined
    const result = v.safeParse(schema, seal.entry)
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** JSON keeps the order of names, so that what was read gives the text that was written. */
const checksumOf = (entry: unknown): string =>
  createHash('sha256').update(JSON.stringify(entry)).digest('hex')
