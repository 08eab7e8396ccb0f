import { daysBetween, ordinalOf, type Day, type DayRange } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import { asError } from '../errors.ts'
import { fileContent, type DataFile } from '../iceberg/manifest/data-file.ts'
import { noDeletes } from '../iceberg/manifest/delete-index.ts'
import { plainMetadata } from '../lake/plain-metadata.ts'
import { readPlainFooter, type Footer } from '../lake/footer/footer.ts'
import { daysFolder, parseDayFile, wholeFile } from '../lake/plain-places.ts'
import type { PlannedFile } from '../lake/read-plan.ts'
import { fieldById, type Schema } from '../iceberg/schema/schema.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { Interval } from '../provenance/interval.ts'
import {
  afterOthers,
  afterWrite,
  nothingKnown,
  partOfOther,
  type KnownRows,
} from '../provenance/known-rows.ts'
import { otherRead, type OtherRead, type Replaced } from '../provenance/provenance.ts'
import { extentOfUnit } from '../provenance/extent.ts'
import { readAsText } from '../provenance/read-as.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { FileFault } from './lake-rows.ts'
import type { VerifyOptions } from './options.ts'
import { comparison, type Prepared } from './prepared.ts'

type Asked = Pick<VerifyOptions, 'days' | 'hashKey'>

/** Footers that are read at once. */
const footersAtOnce = 8

interface Found {
  readonly location: string
  /** Undefined: the file has all rows. */
  readonly day: Day | undefined
  /** The name of the day's column, by the folder. */
  readonly column?: string
}

interface Readable extends Found {
  readonly footer: Footer & { readonly size: number }
  readonly read: OtherRead
  readonly schema: Schema
}

/**
 * The plain Parquet files of a table, in groups that are read alike: the one with all rows (unless days are asked for), and
 * those of days. What a file should have, its footer says. `folder`: that of all tables' files; `table`: its name there.
 * Files that are not ours, or cannot be read, and days that have no file, are told as faults of a group.
 */
export async function preparePlain(
  io: FileIO,
  folder: string,
  table: string,
  source: TableName | undefined,
  options: Asked,
): Promise<Prepared[]> {
  const { days } = options
  const inDays = await daysOf(io, folder, table, days)
  const whole = wholeFile(folder, table)
  const all: readonly Found[] =
    days === undefined && (await io.stat(whole)) !== undefined ? [{ location: whole, day: undefined }] : []
  const missing: FileFault[] = []
  if (days !== undefined && inDays.length > 0) {
    const have = new Set(inDays.map(({ day }) => day))
    for (const day of daysBetween(days.from, days.to))
      if (!have.has(day))
        missing.push({
          kind: 'unverified',
          unit: { kind: 'day', day },
          message: 'there is no file of this day',
        })
  }
  return [
    ...(await grouped(io, all, whole, source, options, [])),
    ...(await grouped(io, inDays, daysFolder(folder, table), source, options, missing)),
  ]
}

async function daysOf(
  io: FileIO,
  folder: string,
  table: string,
  days: DayRange | undefined,
): Promise<Found[]> {
  const root = daysFolder(folder, table)
  const found: Found[] = []
  for await (const { location } of io.list(root)) {
    const parsed = parseDayFile(location.slice(root.length + 1))
    if (parsed === undefined || (days !== undefined && (parsed.day < days.from || days.to < parsed.day)))
      continue
    found.push({ location, ...parsed })
  }
  return found.sort((a, b) => (a.location < b.location ? -1 : 1))
}

/** One group for each way in which files were read and written; faults are the last one's. */
async function grouped(
  io: FileIO,
  found: readonly Found[],
  location: string,
  source: TableName | undefined,
  options: Asked,
  missing: readonly FileFault[],
): Promise<Prepared[]> {
  const faults: FileFault[] = [...missing]
  const groups = new Map<string, Readable[]>()
  await mapConcurrently(found, footersAtOnce, async (one) => {
    const unit: Interval = one.day === undefined ? { kind: 'all' } : { kind: 'day', day: one.day }
    try {
      const footer = await readPlainFooter(io, one.location)
      const read = otherRead(footer.entries)
      const schema = schemaOf(footer.entries)
      if (read === undefined || schema === undefined) {
        faults.push({
          kind: 'unverified',
          unit,
          message: `file ${one.location} does not say that an export of ours wrote it`,
        })
        return
      }
      if (JSON.stringify(read.replaced) !== JSON.stringify(replacedBy(one))) {
        faults.push({ kind: 'mismatch', unit, message: `file ${one.location} says that it has other rows` })
        return
      }
      const renamed = footer.columns.find(
        ({ name, fieldId }) => fieldId === undefined || fieldById(schema, fieldId)?.name !== name,
      )
      if (renamed !== undefined) {
        const message = `file ${one.location}: its column ${renamed.name} has another name than the export gave it`
        faults.push({ kind: 'mismatch', unit, message })
      }
      const { readAs, fingerprints } = read
      const key = JSON.stringify([
        schema.fields,
        fingerprints?.columns,
        readAs && readAsText(readAs),
        read.source.table,
      ])
      groups.set(key, [...(groups.get(key) ?? []), { ...one, footer, read, schema }])
    } catch (error) {
      faults.push({ kind: 'incomplete', unit, message: asError(error).message })
    }
  })
  const alike = [...groups.values()]
  if (alike.length === 0)
    return faults.length === 0 ? [] : [groupOf(io, [], location, source, options, faults)]
  return alike.map((files, at) =>
    groupOf(io, files, location, source, options, at === alike.length - 1 ? faults : []),
  )
}

function groupOf(
  io: FileIO,
  files: readonly Readable[],
  location: string,
  source: TableName | undefined,
  options: Asked,
  faults: readonly FileFault[],
): Prepared {
  const [first] = files
  const named = first?.schema.fields.find(({ name }) => name === first.column)?.id
  const day = first?.read.readAs === undefined ? named : first.read.readAs.day
  const isByDay = first?.day !== undefined
  const metadata = plainMetadata(location, first?.schema ?? noSchema, isByDay ? day : undefined)
  const known = files.reduce<KnownRows>((sum, { read, day: of, location: file }) => {
    const part = partOfOther(read)
    const unit: Interval = of === undefined ? { kind: 'all' } : { kind: 'day', day: of }
    return part === undefined
      ? afterOthers(sum, extentOfUnit(unit), `file ${file} tells no fingerprint`)
      : afterWrite(sum, part, 0n)
  }, nothingKnown)
  const newest = first && { ...first.read, columns: first.read.fingerprints?.columns }
  const table = { name: location, metadata, io }
  const rows = { ...known, newest, day }
  const units = new Set([
    ...files.flatMap((one) => one.day ?? []),
    ...faults.flatMap(({ unit }) => (typeof unit === 'object' && unit.kind === 'day' ? unit.day : [])),
  ])
  const all = [...units].sort()
  const range = isByDay ? (options.days ?? { from: all[0]!, to: all.at(-1)! }) : undefined
  return {
    format: 'parquet',
    table,
    snapshot: undefined,
    location,
    files: files.map((file) => plannedFile(file, isByDay ? day : undefined)),
    faults,
    known: rows,
    within: (interval) => !isByDay || (interval.kind === 'day' && units.has(interval.day)),
    ...comparison(table, rows, source, { ...options, days: range }),
  }
}

const replacedBy = ({ day }: Found): Replaced => (day === undefined ? 'full' : [{ from: day, to: day }])

const noSchema: Schema = { type: 'struct', 'schema-id': 0, fields: [] }

function schemaOf(entries: Readonly<Record<string, string>>): Schema | undefined {
  try {
    const schema = JSON.parse(entries['iceberg.schema'] ?? '') as Schema
    return Array.isArray(schema.fields) ? { ...schema, 'schema-id': 0 } : undefined
  } catch {
    return undefined
  }
}

function plannedFile({ location, day, footer }: Readable, column: number | undefined): PlannedFile {
  const file: DataFile = {
    content: fileContent.data,
    filePath: location,
    fileFormat: 'PARQUET',
    specId: 0,
    partition: day === undefined || column === undefined ? [] : [ordinalOf(day)],
    recordCount: footer.rows,
    fileSizeInBytes: footer.size,
  }
  return { file, sequenceNumber: 0, snapshotId: undefined, position: 'inside', deletes: noDeletes }
}
