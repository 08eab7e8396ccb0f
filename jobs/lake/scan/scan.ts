import type { JobError } from '../../errors.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { specTypeOf } from '../../iceberg/manifest/table-files.ts'
import type { NestedField, PrimitiveType, Value } from '../../iceberg/schema/types.ts'
import { deleteJoins, equalityFieldIds, fieldsByIds, type DeleteInput } from './delete-joins.ts'
import { engineTypeOf, identifier } from '../engine-type.ts'
import { projectionOf, type Projection } from './projection.ts'
import { hasDeletes, type ReadTable } from '../read-plan.ts'
import { readSql, type ScanFile, type ScanStep } from './read-sql.ts'

/** Reading planned files as SQL. */
export interface Scan {
  readonly steps: readonly ScanStep[]
  /** A query whose columns are the fields, under their names and in their order. */
  readonly sql: string
  /** The temporary tables that the steps make. */
  readonly tables: readonly string[]
}

export interface ScanInput extends DeleteInput {
  readonly table: ReadTable
  /** In the order of the columns that come out. */
  readonly fields: readonly NestedField[]
  readonly files: readonly ScanFile[]
  /** Begins the names of temporary tables. */
  readonly prefix: string
  /** Makes the error for what a file has and cannot be read. */
  readonly refuse: (file: DataFile, feature: string) => JobError
}

/**
 * Rows by field id, with the deletes applied: files that are read alike are one `read_parquet`, and those without deletes
 * are apart from those with. Deletes are anti-joins, with the number of rows said: without it DuckDB would build its
 * table over the rows in the place of the deletes. Errors: those of `refuse`.
 */
export function scanOf(input: ScanInput): Scan {
  const { fields, prefix } = input
  const groups = groupsOf(input)
  if (groups.length === 0) return { steps: [], sql: emptyRelation(fields), tables: [] }
  const scans = groups.map((group, at) => scanGroup(input, group, `${prefix}_${at}`))
  return {
    steps: scans.flatMap(({ steps }) => steps),
    sql: scans.map(({ sql }) => sql).join('\nUNION ALL\n'),
    tables: scans.flatMap(({ tables }) => tables),
  }
}

interface Group {
  readonly fields: readonly NestedField[]
  readonly projection: Exclude<Projection, { readonly kind: 'unknown' }>
  readonly isDirty: boolean
  readonly files: readonly ScanFile[]
}

function groupsOf({ table: { metadata }, fields, files, refuse }: ScanInput): Group[] {
  const groups = new Map<string, Group & { readonly files: ScanFile[] }>()
  for (const one of files) {
    const { planned, footer, file } = one
    if (file.recordCount === 0) continue
    const isDirty = hasDeletes(planned)
    const extra = isDirty
      ? fieldsByIds(metadata, equalityFieldIds(planned), fields, (what) => refuse(file, what))
      : []
    const wanted = [...fields, ...extra]
    const projection = projectionOf(metadata, footer, wanted, constantsOf(metadata, file))
    if (projection.kind === 'unknown') throw refuse(file, projection.feature)
    if (isDirty && projection.kind === 'expressions' && footer.columns.some(({ name }) => isReserved(name)))
      throw refuse(
        file,
        'deletes on a file read by its names that has a column file_index or file_row_number',
      )
    const key = JSON.stringify([
      isDirty,
      wanted.map(({ id }) => id),
      projection.kind === 'ids' ? [] : [projection.expressions, footer.columns],
    ])
    const known = groups.get(key)
    if (known === undefined) groups.set(key, { fields: wanted, projection, isDirty, files: [one] })
    else known.files.push(one)
  }
  return [...groups.values()]
}

const isReserved = (name: string): boolean => ['file_index', 'file_row_number'].includes(name.toLowerCase())

/** The columns that a file need not have, as its partition tells them (spec "Column Projection"). */
function constantsOf(
  metadata: ReadTable['metadata'],
  file: DataFile,
): Map<number, { readonly type: PrimitiveType; readonly value: Value | null }> {
  const { type } = specTypeOf(metadata, file.specId)
  const constants = new Map<number, { readonly type: PrimitiveType; readonly value: Value | null }>()
  type.forEach((field, at) => {
    const value = file.partition[at]
    if (field.transform.kind === 'identity' && value !== undefined)
      constants.set(field.sourceId, { type: field.type, value })
  })
  return constants
}

function scanGroup(input: ScanInput, group: Group, prefix: string): Scan {
  const columns = input.fields.map(({ id, name }) => `r.c${id} AS ${identifier(name)}`).join(', ')
  if (!group.isDirty)
    return {
      steps: [],
      sql: `SELECT ${columns} FROM (${readSql(group.files, group.fields, group.projection)}) r`,
      tables: [],
    }
  const { steps, joins, tables, columns: extra } = deleteJoins(input, group.files, prefix)
  const rows = readSql(group.files, group.fields, group.projection, extra)
  return { steps, sql: `SELECT ${columns} FROM (${rows}) r ${joins.join(' ')}`, tables }
}

/** No row of these columns. */
export const emptyRelation = (fields: readonly NestedField[]): string =>
  `SELECT ${fields.map(({ name, type }) => `CAST(NULL AS ${engineTypeOf(type)!}) AS ${identifier(name)}`).join(', ')} WHERE false`
