import { listed } from '../errors.ts'
import type { Snapshot } from '../iceberg/metadata/metadata.ts'
import { bytesText, countText } from './text/words.ts'
import type { Remedies } from './remedies.ts'
import type { TableReport, Verdict } from './report-schema.ts'
import { manySnapshots, muchMetadataBytes, type Compactable } from '../lake/upkeep/due.ts'

/** What is known beside the report, to be judged. */
export interface Upkeep {
  readonly compactable: Compactable
  readonly expirable: readonly Snapshot[]
}

type Facts = Omit<TableReport, 'verdicts'>
type Judge = (facts: Facts, upkeep: Upkeep, remedies: Remedies) => Verdict | undefined

const mend = (what: string, ...commands: readonly string[]): Verdict => ({
  level: 'mend',
  what,
  commands: [...commands],
})
const note = (what: string, ...commands: readonly string[]): Verdict => ({
  level: 'note',
  what,
  commands: [...commands],
})

/** What to do about a table, the most useful first; empty: nothing. */
export const verdictsOf = (facts: Facts, upkeep: Upkeep, remedies: Remedies): Verdict[] =>
  judges.flatMap((judge) => judge(facts, upkeep, remedies) ?? [])

/** More commands would not be read. */
const mostRanges = 5

const missingDays: Judge = ({ partitions: { days } }, _, remedies) => {
  if (days === undefined || days.missingDays === 0) return undefined
  const { missing, column, first, last } = days
  const ranges = missing.map(({ from, to }) => (from === to ? from : `${from} to ${to}`))
  const shown = ranges.slice(0, mostRanges).join(', ')
  const more = ranges.length > mostRanges ? ` and ${ranges.length - mostRanges} more gaps` : ''
  const what = `${countText(days.missingDays, 'day')} of ${column} without rows between ${first} and ${last}, not known to be empty: ${shown}${more}`
  const exporting = remedies.export
  if (exporting === undefined) return note(what)
  return mend(what, ...missing.slice(0, mostRanges).map(({ from, to }) => exporting(from, to)))
}

const files: Judge = (facts, { compactable }, remedies) =>
  compactable.files === 0
    ? undefined
    : mend(
        `${countText(compactable.files, 'file')} of ${facts.files} (${bytesText(compactable.bytes)}) would be fewer or free of deleted rows: target ${bytesText(facts.fileSizes.targetBytes)}`,
        remedies.compact,
      )

const equalityDeletes: Judge = ({ deletes }, _, remedies) =>
  deletes.equalityFiles === 0
    ? undefined
    : mend(
        `${countText(deletes.equalityFiles, 'file')} of equality deletes, which every read applies anew`,
        remedies.compact,
      )

const danglingDeletes: Judge = ({ deletes }, _, remedies) =>
  deletes.dangling === 0
    ? undefined
    : mend(
        `${countText(deletes.dangling, 'delete file')} without a data file to apply to`,
        remedies.deleteFiles,
      )

const snapshots: Judge = ({ snapshots: { count } }, { expirable }, remedies) =>
  expirable.length === 0
    ? undefined
    : mend(
        `${expirable.length} of ${countText(count, 'snapshot')} are past their time to be kept`,
        remedies.expire,
      )

const metadata: Judge = ({ metadata: { bytes = 0 }, snapshots: { count } }, { expirable }, remedies) =>
  expirable.length > 0 || (bytes <= muchMetadataBytes && count <= manySnapshots)
    ? undefined
    : mend(
        `every commit writes ${bytesText(bytes)} of metadata with ${countText(count, 'snapshot')} anew: keep fewer (history.expire.*)`,
        remedies.expire,
      )

const manifests: Judge = ({ metadata: { manifests: count, manifestBytes } }, { compactable }, remedies) =>
  compactable.manifests === 0
    ? undefined
    : mend(
        `${countText(count, 'manifest')} of ${bytesText(manifestBytes / count)} each are read to plan a scan`,
        remedies.manifests,
      )

const version: Judge = ({ formatVersion }, _, { upgrade }) =>
  formatVersion !== 1
    ? undefined
    : note(
        'format version 1: exports need version 2, which is for good',
        ...(upgrade === undefined ? [] : [upgrade]),
      )

const abandoned: Judge = ({ snapshots: { abandoned: count } }) =>
  count === 0
    ? undefined
    : note(`${countText(count, 'snapshot')} that no branch or tag came through: left behind by a rollback`)

const missingFiles: Judge = ({ storage }, _, remedies) => {
  if (storage === undefined || storage.missingFiles === 0) return undefined
  const { missingFiles: count, missing, missingLive } = storage
  const what = `${countText(count, 'file')} that the table needs ${count === 1 ? 'is' : 'are'} gone: ${listed(missing)}`
  if (!missingLive)
    return { level: 'wrong', what: `${what}; only older snapshots need them`, commands: [remedies.expire] }
  return { level: 'wrong', what, commands: remedies.exportAll === undefined ? [] : [remedies.exportAll] }
}

const otherSize: Judge = ({ storage }, _, { exportAll }) =>
  storage === undefined || storage.otherSizeFiles === 0
    ? undefined
    : {
        level: 'wrong',
        what: `${countText(storage.otherSizeFiles, 'file')} of another size than the manifests say: ${listed(storage.otherSize)}`,
        commands: exportAll === undefined ? [] : [exportAll],
      }

/** More of the folders' bytes is removed only where it is said (`--max-orphans`). */
const usualShare = 0.2

const orphans: Judge = ({ storage }, _, remedies) => {
  if (storage === undefined) return undefined
  const { unreferenced, unfinished, bytes: whole } = storage
  const { young, foreign } = unreferenced
  const files = unreferenced.files - young.files - foreign.files
  const bytes = unreferenced.bytes - young.bytes - foreign.bytes
  const uploads = unfinished.files - unfinished.young.files
  if (files + uploads === 0) return undefined
  const what = [
    files === 0 ? [] : `${countText(files, 'object')} that nothing refers to (${bytesText(bytes)})`,
    uploads === 0
      ? []
      : `${countText(uploads, 'unfinished upload')} (${bytesText(unfinished.bytes - unfinished.young.bytes)})`,
  ].flat()
  const percent = whole > 0 && bytes > usualShare * whole ? Math.ceil((100 * bytes) / whole) : undefined
  return mend(what.join(', '), remedies.orphans(percent))
}

const judges: readonly Judge[] = [
  missingFiles,
  otherSize,
  missingDays,
  files,
  equalityDeletes,
  danglingDeletes,
  snapshots,
  orphans,
  metadata,
  manifests,
  version,
  abandoned,
]
