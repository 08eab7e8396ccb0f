import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import { engineTypeOf } from '../engine-type.ts'
import type { Footer } from '../footer/footer.ts'
import type { Projection } from './projection.ts'
import type { PlannedFile } from '../read-plan.ts'

/** A file whose footer is known and that DuckDB can open. */
export interface ReadyFile {
  readonly file: DataFile
  readonly footer: Footer
  /** Its name as SQL. */
  readonly source: string
}

export interface ScanFile extends ReadyFile {
  readonly planned: PlannedFile
}

/** What must be done on a connection ahead of a scan's query. */
export type ScanStep =
  | { readonly kind: 'sql'; readonly sql: string }
  /** Rows (file, position) for a table: the positions of a deletion vector, as its Puffin file has them. */
  | {
      readonly kind: 'vector'
      readonly table: string
      readonly file: number
      readonly blob: Uint8Array
      readonly where: string
    }

/** The rows of files, with `c<id>` for each field. */
export function readSql(
  files: readonly ReadyFile[],
  fields: readonly NestedField[],
  projection: Exclude<Projection, { readonly kind: 'unknown' }>,
  extra: readonly string[] = [],
): string {
  const sources = files.map(({ source }) => source).join(', ')
  const rows = files.reduce((total, { file }) => total + file.recordCount, 0)
  const common = `[${sources}], hive_partitioning = false, explicit_cardinality = ${rows}`
  if (projection.kind === 'ids') {
    const entries = fields.map(
      ({ id, type }) => `${id}: {name: 'c${id}', type: '${engineTypeOf(type)!}', default_value: NULL}`,
    )
    const columns = [...fields.map(({ id }) => `c${id}`), ...extra]
    return `SELECT ${columns.join(', ')} FROM read_parquet(${common}, schema = MAP {${entries.join(', ')}})`
  }
  const columns = projection.expressions.map((sql, at) => `${sql} AS c${fields[at]!.id}`)
  return `SELECT ${[...columns, ...extra].join(', ')} FROM read_parquet(${common})`
}
