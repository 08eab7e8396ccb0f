import { usageError } from '../../../errors.ts'
import { canonicalLocation } from '../../../storage/place.ts'

/**
 * Begins properties of namespaces whose value is the location of a table that has no entry any more and whose files are to
 * stay: no table is made there.
 */
export const keptFolderPrefix = 'lakejobs.forgotten.'

/** A location as it is taken from a pointer. */
export const pointerIn = (location: string): string => `${location}/metadata/-`

/**
 * Where a new table lies: `usual`, or beside it with the table's uuid where files of another table or view lie at or below
 * it (export-spec §6.4): after a rename its files stay where they were, and whoever removes orphans of one table would
 * destroy the other. `pointers`: metadata locations of all entries. Errors: usage, where `usual` lies inside another's.
 */
export function ownLocation(usual: string, uuid: string, pointers: readonly string[]): string {
  const here = comparable(usual)
  const places = pointers.map(placeOf)
  const around = places.findIndex(({ folder }) => folder !== here && isInside(here, folder))
  if (around === -1) return places.some((place) => meet(here, place)) ? `${usual}-${uuid}` : usual
  throw usageError(
    `${usual} lies inside the folder of another table, whose metadata is ${pointers[around]!}`,
    {
      field: usual,
      fix: 'give the namespace another location, or use another ICEBERG_WAREHOUSE',
    },
  )
}

/** Whether files of one of the entries lie at or below a location, or it inside one of theirs. */
export function isTaken(location: string, pointers: readonly string[]): boolean {
  const here = comparable(location)
  return pointers.some((pointer) => meet(here, placeOf(pointer)))
}

/** Of an entry, in one spelling. */
interface Place {
  readonly pointer: string
  /** The table's location where its metadata is in the usual place below it; elsewhere it is known to the metadata only. */
  readonly folder: string | undefined
}

function placeOf(pointer: string): Place {
  const text = comparable(pointer)
  return { pointer: text, folder: /^(.*[^/])\/+metadata\/+[^/]+$/s.exec(text)?.[1] }
}

const meet = (here: string, { pointer, folder }: Place): boolean =>
  isInside(pointer, here) || isInside(here, folder)

/** By whole path segments; `outer` may be unknown. */
const isInside = (inner: string, outer: string | undefined): boolean =>
  outer !== undefined && (inner === outer || inner.startsWith(`${outer}/`))

/** One spelling of a location; slashes of a path on disk count once, those of an S3 key each. */
function comparable(location: string): string {
  const text = canonicalLocation(location)
  const path = text.startsWith('file://')
    ? `file://${text.slice('file://'.length).replace(/\/+/g, '/')}`
    : text
  return path.replace(/\/+$/, '')
}
