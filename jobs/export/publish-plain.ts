import type { Day } from '../calendar.ts'
import { isSame } from './lookback.ts'
import {
  compareReads,
  otherRead,
  provenanceEntries,
  rowsOf,
  type Replaced,
  type SourceRead,
} from './provenance.ts'
import type { PlainFiles, PlainUnit } from './write/plain-files.ts'
import type { ReplacedFile } from './write/replaced-file.ts'

/** A unit's file, and what is there now. */
export interface PlainDecision {
  readonly unit: PlainUnit
  readonly before: ReplacedFile | undefined
  /** Whether its rows are there already. */
  readonly unchanged: boolean
}

/** Which plain files are replaced. `onlyChanged`: not those that have the same rows, by the fingerprint in their footer. */
export async function decidePlain(
  files: PlainFiles,
  read: SourceRead,
  onlyChanged: boolean,
): Promise<PlainDecision[]> {
  const found = await files.replaced()
  return files.units.map((unit, index) => {
    const before = found[index]
    return { unit, before, unchanged: onlyChanged && unit.day !== undefined && has(before, read, unit.day) }
  })
}

function has(before: ReplacedFile | undefined, read: SourceRead, day: Day): boolean {
  const other = before && otherRead(before.entries)
  return other?.source === read.source && isSame(other, read, day)
}

/** The rows of the files that are replaced, and those that come in their place. */
export function plainRows(
  decisions: readonly PlainDecision[],
  read: SourceRead,
): [before: number, after: number] {
  const written = decisions.filter(({ unchanged }) => !unchanged)
  return [
    written.reduce((sum, { before }) => sum + (before?.rows ?? 0), 0),
    written.reduce((sum, { unit }) => sum + rowsOf(read, replacedBy(unit)), 0),
  ]
}

const replacedBy = ({ day }: PlainUnit): Replaced => (day === undefined ? 'full' : [{ from: day, to: day }])

export interface PublishedPlain {
  readonly locations: readonly string[]
  readonly bytes: number
  /** Files that a later read of the same source has replaced already: they are left as they are. */
  readonly superseded: readonly string[]
}

/** What is there was read later. */
class Superseded extends Error {}

/**
 * Makes the files appear, one after the other. One that a later read of the source has written is not replaced by an
 * earlier one (export-spec §3.7): the store publishes over what was looked at, or it is looked at again. Errors:
 * `FileChanged` where others come first again and again.
 */
export async function publishPlain(
  files: PlainFiles,
  read: SourceRead,
  decisions: readonly PlainDecision[],
): Promise<PublishedPlain> {
  const locations: string[] = []
  const superseded: string[] = []
  let bytes = 0
  for (const { unit, before, unchanged } of decisions) {
    if (unchanged) continue
    const replaced = replacedBy(unit)
    let known = before
    const look = async (): Promise<string | undefined> => {
      known = await files.replacedNow(unit, known)
      if (known !== undefined && compareReads(read, replaced, known.entries) === 'newer')
        throw new Superseded()
      return known?.identity
    }
    try {
      bytes += await files.publish(unit, provenanceEntries(read, replaced), look)
      locations.push(unit.location)
    } catch (error) {
      if (!(error instanceof Superseded)) throw error
      superseded.push(unit.location)
    }
  }
  return { locations, bytes, superseded }
}
