import { daysBetween, type Day } from '../../calendar.ts'
import { mapConcurrently } from '../../concurrency.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import { dayFile, wholeFile } from '../../lake/plain-places.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import { printInterval, type Interval } from '../../provenance/interval.ts'
import type { FileIO, Look } from '../../storage/file-io.ts'
import type { ExportScope } from '../options.ts'
import { createPlainFile, type PlainFile } from './plain-file.ts'
import { readReplacedFile, type ReplacedFile } from './replaced-file.ts'
import { openRowGroupSpool } from './row-group-spool.ts'

/** The plain Parquet files of an export: one for the whole table, or one for each day (export-spec §2.5). */
export interface PlainFiles {
  readonly units: readonly PlainUnit[]
  /** Of every file. */
  readonly schema: Schema
  /** Rows of one interval (`intervalOf`). */
  add(rowGroup: RelocatableRowGroup, interval: Interval): Promise<void>
  /** What the files would replace, in the order of the units; undefined for nothing. `known`: what it was before. */
  replaced(known?: Replaceable): Promise<Replaceable>
  /** What the unit's file would replace now, where that is not `known` any more. */
  replacedNow(unit: PlainUnit, known: ReplacedFile | undefined): Promise<ReplacedFile | undefined>
  /** Makes a unit's file appear over what `look` has seen, with `entries` in its footer; resolves to its bytes. */
  publish(unit: PlainUnit, entries: Readonly<Record<string, string>>, look: Look): Promise<number>
  /** Drops what is not published; to be called at the end in any case. */
  discard(): Promise<void>
}

/** What the units' files would replace, in their order; undefined for nothing. */
export type Replaceable = readonly (ReplacedFile | undefined)[]

/** One file: the day that it holds, or all rows. */
export interface PlainUnit {
  readonly day: Day | undefined
  readonly location: string
}

export interface PlainFilesSettings {
  readonly io: FileIO
  /** The folder of all tables' plain files, a location. */
  readonly folder: string
  readonly table: string
  readonly scope: ExportScope
  /** Local folder where the rows of many days wait, a path. */
  readonly scratch: string
  readonly columns: readonly ParquetColumn[]
  readonly schema: Schema
  readonly signal: AbortSignal
}

/** Files that are written as their rows come: every open one holds an upload part. More than that are spooled. */
const maxOpenFiles = 8
/** Footers that are read at once. */
const readersAtOnce = 8

/** One file for the whole table, or one for each day of the scope. */
const plainUnits = (
  { folder, table, scope }: Pick<PlainFilesSettings, 'folder' | 'table' | 'scope'>,
  dayColumn: string | undefined,
): PlainUnit[] =>
  scope.mode === 'full'
    ? [{ day: undefined, location: wholeFile(folder, table) }]
    : daysBetween(scope.from, scope.to).map((day) => ({
        day,
        location: dayFile(folder, table, dayColumn ?? 'day', day),
      }))

/** The files that an export would replace, each with its unit; nothing is opened for writing. */
export async function plainFilesThere(
  settings: Pick<PlainFilesSettings, 'io' | 'folder' | 'table' | 'scope'>,
  dayColumn: string | undefined,
): Promise<{ readonly unit: PlainUnit; readonly file: ReplacedFile }[]> {
  const found = await mapConcurrently(plainUnits(settings, dayColumn), readersAtOnce, async (unit) => {
    const file = await readReplacedFile(settings.io, unit.location)
    return file === undefined ? [] : [{ unit, file }]
  })
  return found.flat()
}

/** The files of `plainUnits`, without rows where a day has none: so no glob counts a row twice. */
export async function createPlainFiles(
  settings: PlainFilesSettings,
  dayColumn: string | undefined,
): Promise<PlainFiles> {
  const { io } = settings
  const units = plainUnits(settings, dayColumn)
  const writer = await (units.length > maxOpenFiles ? spooled : direct)(units, settings)
  const replacedNow: PlainFiles['replacedNow'] = async ({ location }, known) => {
    if (known === undefined) return readReplacedFile(io, location)
    const found = await io.stat(location)
    return found?.identity === known.identity ? known : readReplacedFile(io, location)
  }
  return {
    units,
    schema: settings.schema,
    ...writer,
    replaced: (known = []) =>
      mapConcurrently([...units.entries()], readersAtOnce, ([index, unit]) =>
        replacedNow(unit, known[index]),
      ),
    replacedNow,
  }
}

type Writer = Pick<PlainFiles, 'add' | 'publish' | 'discard'>

const nameOf = ({ day }: PlainUnit): string =>
  printInterval(day === undefined ? { kind: 'all' } : { kind: 'day', day })

/** Every file is open from the beginning. */
async function direct(units: readonly PlainUnit[], settings: PlainFilesSettings): Promise<Writer> {
  const files = new Map<string, PlainFile>()
  const discard = async (): Promise<void> => {
    await Promise.all([...files.values()].map((file) => file.discard()))
  }
  try {
    for (const unit of units)
      files.set(nameOf(unit), await createPlainFile(settings.io, unit.location, settings))
  } catch (error) {
    await discard()
    throw error
  }
  const fileOf = (name: string): PlainFile => {
    const file = files.get(name) ?? (settings.scope.mode === 'full' ? files.get('all') : undefined)
    if (file === undefined) throw new TypeError(`a row of ${name}, which was not asked for`)
    return file
  }
  return {
    add: (rowGroup, interval) => fileOf(printInterval(interval)).add(rowGroup),
    publish: (unit, entries, look) => fileOf(nameOf(unit)).publish(entries, look),
    discard,
  }
}

/** The rows of all days wait in one local file; the days' files are made one after the other, when they are published. */
async function spooled(units: readonly PlainUnit[], settings: PlainFilesSettings): Promise<Writer> {
  const { io, scratch, signal } = settings
  // A place that cannot be written is found before anything is read.
  const [first] = units
  if (first !== undefined) await (await createPlainFile(io, first.location, settings)).discard()
  const spool = await openRowGroupSpool(scratch)
  return {
    add: (rowGroup, interval) => spool.add(printInterval(interval), rowGroup),
    async publish(unit, entries, look) {
      signal.throwIfAborted()
      const file = await createPlainFile(io, unit.location, settings)
      try {
        for await (const rowGroup of spool.rowGroups(nameOf(unit))) await file.add(rowGroup)
        return await file.publish(entries, look)
      } catch (error) {
        await file.discard()
        throw error
      }
    },
    discard: spool.remove,
  }
}
