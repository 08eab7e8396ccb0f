import { mapConcurrently } from '../concurrency.ts'
import { asError, JobError } from '../errors.ts'
import { splitRows, type PartitionSource } from '../iceberg/partition/split-rows.ts'
import { schemasByAge } from '../iceberg/metadata/metadata.ts'
import { fieldById } from '../iceberg/schema/schema.ts'
import { canonicalLocation } from '../storage/place.ts'
import { scalar, type ColumnType, type PrimitiveType } from '../iceberg/schema/types.ts'
import type { NestedField } from '../iceberg/schema/types.ts'
import { readFooter, type Footer } from '../lake/footer/footer.ts'
import { flatFields, readRows, type RowSource } from '../lake/read-rows.ts'
import { hasDeletes, type PlannedFile } from '../lake/read-plan.ts'
import { combined, fingerprintOf, noRows, type Fingerprint } from '../provenance/fingerprint.ts'
import { printInterval, type Interval } from '../provenance/interval.ts'
import { intervalOf } from '../provenance/intervals.ts'
import { memoryOf, reuseMemory } from '../vector/vector-memory.ts'
import type { ColumnVector } from '../vector/vector.ts'
import { unitOfPartition } from '../provenance/unit-of-file.ts'
import { fileCheck, type FileCheck } from './columns/file-check.ts'
import { pageIndexFaults } from './columns/page-index-faults.ts'
import {
  bothStatistics,
  noStatistics,
  shortened,
  statisticsOf,
  type ColumnStatistics,
} from './columns/statistics.ts'
import { sliceVector } from '../vector/slice.ts'
import type { GroupHasher } from './pages/group-threads.ts'
import { notOurs, readOwnFile, type Later } from './pages/own-file.ts'
import { rangeSums, type RangeColumn, type RangeSums } from './deep/key-ranges.ts'

/** Rows of one unit (a day, `null`, `all`), by each list of columns that was asked for; none where only counted. */
export interface Unit {
  readonly interval: Interval
  readonly rows: number
  readonly fingerprints: readonly Fingerprint[]
  /** Of the columns of the first list; none where rows were only counted. */
  readonly columns: readonly ColumnStatistics[]
}

export interface FileFault {
  /** `unverified`: nothing tells what the rows should be. */
  readonly kind: 'incomplete' | 'mismatch' | 'unverified'
  /** Undefined: the rows may be of any; `table`: it is the table's own, whatever its rows are. */
  readonly unit: Interval | 'table' | undefined
  readonly message: string
}

export interface LakeRows {
  readonly units: ReadonlyMap<string, Unit>
  readonly faults: readonly FileFault[]
  /** Where they were asked for. */
  readonly ranges?: RangeSums | undefined
}

/** The day of a column, as the field of a spec. */
export const daySource = (field: NestedField, column: number, type: PrimitiveType): PartitionSource => ({
  field: { id: 0, name: 'day', sourceId: field.id, transform: { kind: 'day' }, type: { kind: 'date' } },
  column,
  type,
})

/** The columns of a table by their ids, whether they still are in its schema or not. */
export const fieldsOf = ({ table: { metadata } }: RowSource, ids: readonly number[]): NestedField[] =>
  ids.map((id) => {
    const found = schemasByAge(metadata)
      .map((schema) => fieldById(schema, id))
      .find((field) => field)
    if (found !== undefined) return found
    throw new JobError('data', `a fingerprint names column ${id}, which the table never had`)
  })

/** Adds up rows by unit: by `lists` lists of columns, of which the first has these types. */
export function unitSums(
  lists: number,
  types: readonly ColumnType[],
): {
  readonly add: (
    interval: Interval,
    rows: number,
    fingerprints: readonly Fingerprint[],
    columns: readonly ColumnStatistics[],
  ) => void
  readonly units: () => Map<string, Unit>
} {
  const units = new Map<string, Unit>()
  return {
    add(interval, rows, fingerprints, columns) {
      const key = printInterval(interval)
      const before = units.get(key) ?? {
        interval,
        rows: 0,
        fingerprints: fingerprints.map(({ nulls }) => noRows(nulls.length)).slice(0, lists),
        columns: types.map(noStatistics),
      }
      units.set(key, {
        interval,
        rows: before.rows + rows,
        fingerprints: before.fingerprints.map((one, at) => combined(one, fingerprints[at]!)),
        columns: before.columns.map((one, at) => bothStatistics(types[at]!, one, shortened(columns[at]!))),
      })
    },
    units: () => units,
  }
}

export interface LakeReading {
  /** A column of the first list by whose ranges rows are added up, too. */
  readonly range?: RangeColumn | undefined
  /**
   * Hashes the rows of files that the export wrote, without DuckDB (pages/own-file.ts). What comes of it proves a match; anything else
   * is DuckDB's to say.
   */
  readonly hasher?: GroupHasher | undefined
}

/**
 * Decodes the planned files and hashes their rows by day, in the column order of each of `lists`; what is wrong with a
 * file is told, and the others are read on.
 */
export async function readLake(
  source: RowSource,
  files: readonly PlannedFile[],
  lists: readonly (readonly number[])[],
  day: number | undefined,
  onRows: (rows: number) => void,
  { range, hasher }: LakeReading = {},
): Promise<LakeRows> {
  const ids = [...new Set([...lists.flat(), ...(day === undefined ? [] : [day])])]
  const fields = fieldsOf(source, ids)
  const flat = flatFields(source, fields)
  const types = flat.map(({ type }) => type)
  const dayAt = day === undefined ? -1 : ids.indexOf(day)
  const byDay = dayAt < 0 ? [] : [daySource(fields[dayAt]!, dayAt, scalar(types[dayAt]!))]
  const columns = lists.map((list) => list.map((id) => ids.indexOf(id)))
  const [own = []] = columns
  const sums = unitSums(
    lists.length,
    own.map((at) => types[at]!),
  )
  const faults: FileFault[] = []
  const ranges = range && rangeSums(range)
  const add = (vectors: readonly ColumnVector[], check: FileCheck | undefined): Interval[] => {
    const parts = byDay.length === 0 ? [{ partition: [], vectors }] : splitRows(byDay, vectors)
    return parts.map(({ partition, vectors: rows }) => {
      const unit = intervalOf(partition, byDay.length === 0 ? undefined : 0)
      const statistics = rows.map((vector, at) => statisticsOf(types[at]!, vector))
      check?.add(statistics)
      const hashes = range && ranges?.taker(unit, rows[ids.indexOf(range.id)]!)
      const fingerprints = columns.map((list, number) =>
        fingerprintOf(
          list.map((at) => types[at]!),
          list.map((at) => rows[at]!),
          number === 0 ? hashes : undefined,
        ),
      )
      sums.add(
        unit,
        rows[0]!.rows,
        fingerprints,
        own.map((at) => statistics[at]!),
      )
      return unit
    })
  }
  const isFlat = lists.length === 1 && range === undefined && types.every(({ kind }) => kind !== 'list')
  /** Undefined: DuckDB reads all. */
  const quick = isFlat ? hasher : undefined
  const begin = async (planned: PlannedFile, isLast: boolean): Promise<Later> => {
    source.signal.throwIfAborted()
    if (quick === undefined || hasDeletes(planned)) return notOurs
    const request = { planned, fields: flat, day: byDay[0], mixed: own.length }
    try {
      return await readOwnFile(source, request, quick, isLast)
    } catch (error) {
      return () => Promise.reject(asError(error))
    }
  }
  const take = async (planned: PlannedFile, later: Later): Promise<void> => {
    const { file } = planned
    const location = canonicalLocation(file.filePath)
    const unitOfFile = unitOfPartition(source.table.metadata, file, day)
    const tell = (lines: readonly string[], seen: ReadonlyMap<string, Interval>): void => {
      for (const line of lines)
        faults.push({ kind: 'mismatch', unit: unitOfFile, message: `file ${location}: ${line}` })
      for (const [name, unit] of seen) {
        if (unitOfFile === undefined || printInterval(unitOfFile) === name) continue
        const message = `file ${location}: rows of ${name} in the partition of ${printInterval(unitOfFile)}`
        faults.push({ kind: 'mismatch', unit, message })
      }
    }
    const found = await later().catch((error: unknown) => {
      // DuckDB meets it, too, and says what it is.
      if (error instanceof JobError) return undefined
      throw error
    })
    if (found !== undefined) {
      for (const { unit, rows, fingerprint, columns: all } of found.groups)
        sums.add(unit, rows, [fingerprint], all.slice(0, own.length))
      onRows(file.recordCount)
      tell(found.faults, new Map(found.groups.map(({ unit }) => [printInterval(unit), unit])))
      return
    }
    let check: FileCheck | undefined
    let indexFaults: Promise<string[]> | undefined
    const onFooter = (footer: Footer): void => {
      indexFaults = pageIndexFaults(source.table.io, location, file.fileSizeInBytes, footer)
      // Awaited below; until then a failure must not count as unhandled.
      indexFaults.catch(() => undefined)
      check = fileCheck(file, footer, flat, !hasDeletes(planned))
    }
    const seen = new Map<string, Interval>()
    let lines: readonly string[] = []
    try {
      for await (const vectors of readRows(source, planned, fields, onFooter)) {
        const rows = vectors[0]?.rows ?? 0
        for (let from = 0; from < rows;) {
          const to = from + (check?.next(rows - from) ?? rows - from)
          const some = to - from === rows ? vectors : vectors.map((vector) => sliceVector(vector, from, to))
          for (const unit of add(some, check)) seen.set(printInterval(unit), unit)
          from = to
        }
        onRows(rows)
        reuseMemory(memoryOf(vectors))
      }
      lines = [...(check?.faults() ?? []), ...((await indexFaults) ?? [])]
    } catch (error) {
      faults.push({ kind: 'incomplete', unit: unitOfFile, message: faultOf(error, source) })
      return
    }
    tell(lines, seen)
  }
  await inOrder(files, quick === undefined ? 0 : filesAhead, begin, take)
  return { units: sums.units(), faults, ranges }
}

/** Files that are begun while threads still hash one before them. */
const filesAhead = 16

/** Begins files and takes what comes of them in their order. `begin`: whether none comes behind. */
async function inOrder(
  files: readonly PlannedFile[],
  most: number,
  begin: (planned: PlannedFile, isLast: boolean) => Promise<Later>,
  take: (planned: PlannedFile, later: Later) => Promise<void>,
): Promise<void> {
  const begun: (readonly [PlannedFile, Later])[] = []
  for (const [at, planned] of files.entries()) {
    begun.push([planned, await begin(planned, at === files.length - 1)])
    if (begun.length > most) await take(...begun.shift()!)
  }
  for (const one of begun) await take(...one)
}

/** Footers that are read at once. */
const footersAtOnce = 8

/**
 * The same by metadata and footers alone: numbers of rows, by the days of the files' partitions, else all as one, where
 * these are `within` what is asked for.
 */
export async function countLake(
  source: RowSource,
  files: readonly PlannedFile[],
  day: number | undefined,
  within: (interval: Interval) => boolean,
): Promise<LakeRows> {
  const sums = unitSums(0, [])
  const faults: FileFault[] = []
  await mapConcurrently(files, footersAtOnce, async (planned) => {
    const { file } = planned
    const unit = unitOfPartition(source.table.metadata, file, day)
    try {
      const { rows } = await readFooter(source.table.io, file)
      const counted: Interval = unit ?? { kind: 'all' }
      sums.add(counted, rows, [], [])
      const untold = (what: string): number =>
        faults.push({
          kind: 'unverified',
          unit,
          message: `file ${canonicalLocation(file.filePath)}: ${what}, only reading them tells`,
        })
      if (hasDeletes(planned)) untold('how many of its rows are deleted')
      else if (unit === undefined && !within(counted)) untold('of which days its rows are')
    } catch (error) {
      faults.push({ kind: 'incomplete', unit, message: faultOf(error, source) })
    }
  })
  return { units: sums.units(), faults }
}

/** What is wrong with a file. Throws what is not the file's fault: a store that is away, an interruption, a feature. */
function faultOf(error: unknown, { table, signal }: RowSource): string {
  signal.throwIfAborted()
  if (!(error instanceof JobError) || error.code !== 'data' || error.field === table.name) throw error
  if (error.field === '--max-download') throw error
  return asError(error).message
}
