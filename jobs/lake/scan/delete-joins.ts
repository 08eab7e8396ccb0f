import type { JobError } from '../../errors.ts'
import type { DataFile, ManifestEntry } from '../../iceberg/manifest/data-file.ts'
import { isUnpartitionedSpec } from '../../iceberg/manifest/table-files.ts'
import { currentSchema, type TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { partitionKey } from '../../iceberg/partition/partition-value.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import { quote } from '../engine-names.ts'
import type { PlannedFile, ReadTable } from '../read-plan.ts'
import { projectionOf } from './projection.ts'
import { readSql, type ReadyFile, type ScanFile, type ScanStep } from './read-sql.ts'

export interface DeleteInput {
  readonly table: ReadTable
  readonly fields: readonly NestedField[]
  /** The delete files of the plan that are Parquet, by their paths. */
  readonly deleteFiles: ReadonlyMap<string, ReadyFile>
  /** The deletion vectors of the plan as they are stored, by their data files' paths. */
  readonly vectors: ReadonlyMap<string, Uint8Array>
  readonly refuse: (file: DataFile, feature: string) => JobError
}

/** The columns that the equality deletes of a planned file look at, by id. */
export const equalityFieldIds = ({ deletes }: PlannedFile): number[] => [
  ...new Set(deletes.equalities.flatMap(({ dataFile }) => dataFile.equalityIds ?? [])),
]

/**
 * Those of the columns that are not among `fields`, as the table has or had them last. `refuse`: for one that never was
 * at the top level.
 */
export function fieldsByIds(
  metadata: TableMetadata,
  ids: readonly number[],
  fields: readonly NestedField[],
  refuse: (feature: string) => JobError,
): NestedField[] {
  return ids
    .filter((id) => !fields.some((field) => field.id === id))
    .map((id) => {
      const isIt = (field: NestedField): boolean => field.id === id
      const found =
        currentSchema(metadata).fields.find(isIt) ??
        metadata.schemas.flatMap((schema) => schema.fields).findLast(isIt)
      if (found === undefined) throw refuse(`equality deletes by column ${id} within another`)
      return found
    })
}

/** Unsigned as DuckDB has it: a join with what is signed would compare 128 bits. */
const fileIndex = 'CAST(file_index AS BIGINT)'

interface Joins {
  readonly steps: readonly ScanStep[]
  /** To follow the rows `r`. */
  readonly joins: readonly string[]
  /** What the rows must have besides. */
  readonly columns: readonly string[]
  /** The temporary tables that the steps make. */
  readonly tables: readonly string[]
}

type Joined = Omit<Joins, 'columns'>

/**
 * Anti-joins for the rows of files with deletes. The rules of spec "Scan Planning" are in the plan already; here they are
 * held again per row, as one delete file may name rows of several files: same partition, and sequence numbers.
 */
export function deleteJoins(input: DeleteInput, files: readonly ScanFile[], prefix: string): Joins {
  const places = new Map<string, number>()
  const placeOf = ({ specId, partition }: DataFile): number => {
    const key = partitionKey(specId, partition)
    const place = places.get(key) ?? places.size
    places.set(key, place)
    return place
  }
  const positions = positionJoin(input, files, prefix, placeOf)
  const equalities = equalityJoins(input, files, prefix, placeOf)
  const list = (values: readonly number[]): string => `([${values.join(', ')}])[${fileIndex} + 1]`
  const byPlace = equalities.length > 0
  return {
    steps: [...positions.steps, ...equalities.flatMap(({ steps }) => steps)],
    joins: [...positions.joins, ...equalities.flatMap(({ joins }) => joins)],
    tables: [...positions.tables, ...equalities.flatMap(({ tables }) => tables)],
    columns: [
      ...(positions.joins.length > 0 ? [`${fileIndex} AS f`, 'file_row_number AS p'] : []),
      ...(byPlace
        ? [
            `${list(files.map(({ file }) => placeOf(file)))} AS place`,
            `${list(files.map(({ planned }) => planned.sequenceNumber))} AS seq`,
          ]
        : []),
    ],
  }
}

const sequenceOf = ({ sequenceNumber }: ManifestEntry): number => sequenceNumber ?? 0

/** Each delete file once, in a fixed order. */
const distinct = (entries: readonly ManifestEntry[]): ManifestEntry[] => [
  ...new Map(entries.map((entry) => [entry.dataFile.filePath, entry])).values(),
]

const values = (rows: readonly (readonly (string | number)[])[]): string =>
  `(VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')})`

function positionJoin(
  { deleteFiles, vectors }: DeleteInput,
  files: readonly ScanFile[],
  prefix: string,
  placeOf: (file: DataFile) => number,
): Joined {
  const byFile = files.map(({ planned }, at) => ({ planned, at }))
  const named = byFile.filter(({ planned }) => planned.deletes.positions.length > 0)
  const withVector = byFile.filter(({ planned }) => planned.deletes.vector !== undefined)
  if (named.length === 0 && withVector.length === 0) return { steps: [], joins: [], tables: [] }
  const table = `${prefix}_positions`
  const steps: ScanStep[] = [{ kind: 'sql', sql: `CREATE TEMP TABLE ${table} (f BIGINT, p BIGINT)` }]
  if (named.length > 0) {
    const deletes = distinct(named.flatMap(({ planned }) => planned.deletes.positions))
    const sources = deletes.map(({ dataFile }) => deleteFiles.get(dataFile.filePath)!.source)
    const owners = values(
      named.map(({ planned: { file, sequenceNumber }, at }) => [
        at,
        quote(file.filePath),
        placeOf(file),
        sequenceNumber,
      ]),
    )
    const origins = values(deletes.map((entry, at) => [at, placeOf(entry.dataFile), sequenceOf(entry)]))
    steps.push({
      kind: 'sql',
      sql: `INSERT INTO ${table} SELECT o.f, d.pos
        FROM (SELECT ${fileIndex} AS i, file_path, pos FROM read_parquet([${sources.join(', ')}], hive_partitioning = false, union_by_name = true)) d
        JOIN ${origins} s(i, place, seq) ON s.i = d.i
        JOIN ${owners} o(f, path, place, seq) ON o.path = d.file_path AND o.place = s.place AND o.seq <= s.seq`,
    })
  }
  for (const { planned, at } of withVector)
    steps.push({
      kind: 'vector',
      table,
      file: at,
      blob: vectors.get(planned.file.filePath)!,
      where: planned.deletes.vector!.dataFile.filePath,
    })
  return { steps, joins: [`ANTI JOIN ${table} d ON r.f = d.f AND r.p = d.p`], tables: [table] }
}

/** One for each set of columns, and apart for the deletes of all partitions: an OR would be no hash join. */
function equalityJoins(
  input: DeleteInput,
  files: readonly ScanFile[],
  prefix: string,
  placeOf: (file: DataFile) => number,
): Joined[] {
  const { metadata } = input.table
  const entries = distinct(files.flatMap(({ planned }) => planned.deletes.equalities))
  const bySet = new Map<string, ManifestEntry[]>()
  for (const entry of entries) {
    const ids = [...(entry.dataFile.equalityIds ?? [])].sort((a, b) => a - b)
    const key = JSON.stringify([ids, isUnpartitionedSpec(metadata, entry.dataFile.specId)])
    bySet.set(key, [...(bySet.get(key) ?? []), entry])
  }
  return [...bySet].map(([key, set], at) => {
    const [ids, ofAll] = JSON.parse(key) as [number[], boolean]
    const table = `${prefix}_equal_${at}`
    const named = `d${at}`
    const fields = ids.map(
      (id) =>
        input.fields.find((field) => field.id === id) ??
        fieldsByIds(metadata, [id], [], (what) => input.refuse(set[0]!.dataFile, what))[0]!,
    )
    // Each file by itself: they may be of different writers.
    const rows = set.map((entry) => {
      const ready = input.deleteFiles.get(entry.dataFile.filePath)!
      const projection = projectionOf(metadata, ready.footer, fields, new Map())
      if (projection.kind === 'unknown') throw input.refuse(entry.dataFile, projection.feature)
      return `SELECT ${placeOf(entry.dataFile)} AS place, ${sequenceOf(entry)} AS seq, * FROM (${readSql([ready], fields, projection)})`
    })
    const columns = ids.map((id) => `r.c${id} IS NOT DISTINCT FROM ${named}.c${id}`)
    const conditions = [...columns, ...(ofAll ? [] : [`r.place = ${named}.place`]), `r.seq < ${named}.seq`]
    return {
      steps: [{ kind: 'sql' as const, sql: `CREATE TEMP TABLE ${table} AS ${rows.join(' UNION ALL ')}` }],
      joins: [`ANTI JOIN ${table} ${named} ON ${conditions.join(' AND ')}`],
      tables: [table],
    }
  })
}
