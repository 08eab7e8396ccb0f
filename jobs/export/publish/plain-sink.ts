import { rangesOf } from '../../calendar.ts'
import { own } from '../../postgres/own.ts'
import {
  compareReads,
  provenanceEntries,
  rowsOf,
  type Replaced,
  type SourceRead,
} from '../../provenance/provenance.ts'
import type { ExportRun } from '../export-run.ts'
import type { PlainFiles, PlainUnit, Replaceable } from '../write/plain-files.ts'
import type { ReplacedFile } from '../write/replaced-file.ts'
import { assertNoneEmptied, unfedWarning, type ChosenColumns } from '../target/left-out.ts'
import { assertReplaceable } from './replaceable.ts'
import type { Reader } from '../../provenance/replacing/commit-read.ts'
import { assertNoShrink } from '../../provenance/replacing/shrink-guard.ts'
import type { Sink, SinkOutcome } from './sink.ts'
import { hasSameRows, unchangedText } from './unchanged.ts'

/**
 * Plain Parquet files, each of which is replaced as a whole. `table` is its name in messages, `renames` are the
 * columns that have another name than in the files. Errors: those of `assertReplaceable` and `assertNoneEmptied`, before
 * anything is read.
 */
export async function plainSink(
  { options, context }: ExportRun,
  table: string,
  own: Reader,
  chosen: ChosenColumns,
  renames: Readonly<Record<string, string>>,
  files: PlainFiles,
): Promise<Sink> {
  const found = await files.replaced()
  const assertOurs = (location: string, file: ReplacedFile): void => {
    assertPlain(location, file, own, chosen, options.dropColumns)
  }
  files.units.forEach(({ location }, index) => {
    const file = found[index]
    if (file !== undefined) assertOurs(location, file)
  })
  const warnings = unfedColumns(found, chosen, renames).map((name) => unfedWarning(name, chosen))
  for (const warning of warnings) context.logger.warn({ table }, warning)
  return {
    format: 'parquet',
    add: ({ rowGroup, interval }) => files.add(rowGroup, interval),
    async stage(read) {
      const decisions = await decide(files, found, read, options.onlyChanged)
      const [before, after] = rowsBeforeAndAfter(decisions, read)
      assertNoShrink(`${table} (Parquet)`, before, after, options.maxShrink, options.where)
      if (decisions.every(({ unchanged }) => unchanged))
        context.logger.info({ table: `${table} (Parquet)`, rows: rowsOf(read, 'full') }, unchangedText)
      return {
        async publish() {
          const { superseded, ...outcome } = await publishAll(files, read, decisions, assertOurs)
          if (superseded.length > 0)
            context.logger.info({ table, files: superseded }, 'a later read is in the Parquet files')
          const isNone = superseded.length === 0
          return { ...outcome, warnings, superseded: isNone ? 'none' : outcome.files === 0 ? 'all' : 'some' }
        },
      }
    },
    discard: () => files.discard(),
  }
}

/** Refuses to replace a file that is another's, or whose columns would be emptied unseen. */
export function assertPlain(
  location: string,
  file: ReplacedFile,
  own: Reader,
  chosen: ChosenColumns,
  dropColumns: readonly string[] = [],
): void {
  assertReplaceable(location, file, own)
  assertNoneEmptied(location, file.columns, chosen, dropColumns)
}

/** Columns of the files that the read does not fill. */
const unfedColumns = (
  found: Replaceable,
  { columns }: ChosenColumns,
  renames: Readonly<Record<string, string>>,
): string[] =>
  [...new Set(found.flatMap((file) => file?.columns ?? []))].filter(
    (name) => !columns.some((column) => column.name === (own(renames, name) ?? name)),
  )

/** A unit's file, and what is there now. */
interface PlainDecision {
  readonly unit: PlainUnit
  readonly before: ReplacedFile | undefined
  /** Whether its rows are there already. */
  readonly unchanged: boolean
}

/** Which plain files are replaced. `onlyChanged`: not those that have the same rows, by the fingerprint in their footer. */
async function decide(
  files: PlainFiles,
  known: Replaceable,
  read: SourceRead,
  onlyChanged: boolean,
): Promise<PlainDecision[]> {
  const found = await files.replaced(known)
  return files.units.map((unit, index) => {
    const before = found[index]
    const unchanged =
      onlyChanged && before !== undefined && hasSameRows(before, read, replacedByUnit(unit), files.schema)
    return { unit, before, unchanged }
  })
}

/** The rows of the files that are replaced, and those that come in their place. */
function rowsBeforeAndAfter(
  decisions: readonly PlainDecision[],
  read: SourceRead,
): [before: number, after: number] {
  const written = decisions.filter(({ unchanged }) => !unchanged)
  return [
    written.reduce((sum, { before }) => sum + (before?.rows ?? 0), 0),
    written.reduce((sum, { unit }) => sum + rowsOf(read, replacedByUnit(unit)), 0),
  ]
}

const replacedByUnit = ({ day }: PlainUnit): Replaced =>
  day === undefined ? 'full' : [{ from: day, to: day }]

/** What is there was read later. */
class Superseded extends Error {}

/**
 * Makes the files appear, one after the other. One that a later read of the source has written is not replaced by an
 * earlier one (export-spec §3.7): the store publishes over what was looked at, or it is looked at again. Errors:
 * `FileChanged` where others come first again and again.
 */
async function publishAll(
  files: PlainFiles,
  read: SourceRead,
  decisions: readonly PlainDecision[],
  assertOurs: (location: string, file: ReplacedFile) => void,
): Promise<Omit<SinkOutcome, 'superseded'> & { readonly superseded: readonly string[] }> {
  const changed = decisions.filter(({ unchanged }) => !unchanged)
  const locations: string[] = []
  const superseded: string[] = []
  let bytes = 0
  for (const { unit, before } of changed) {
    const replaced = replacedByUnit(unit)
    let known = before
    const look = async (): Promise<string | undefined> => {
      known = await files.replacedNow(unit, known)
      if (known !== undefined) {
        assertOurs(unit.location, known)
        if (compareReads(read, replaced, known.entries) === 'newer') throw new Superseded()
      }
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
  const days = decisions.flatMap(({ unit: { day } }) => day ?? [])
  const changedDays = changed.flatMap(({ unit: { day } }) => day ?? [])
  const [parquetLocation] = locations
  return {
    format: 'parquet',
    replaced: days.length === 0 && changed.length > 0 ? 'full' : rangesOf(changedDays),
    unchanged: changed.length === 0,
    files: locations.length,
    bytes,
    superseded,
    ...(parquetLocation === undefined ? {} : { parquetLocation }),
  }
}
