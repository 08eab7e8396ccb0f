import { dataError } from '../errors.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { bind } from '../iceberg/expression/bind.ts'
import { planRead, type ReadPlan } from '../lake/read-plan.ts'
import { readyScan } from '../lake/scan/ready-scan.ts'
import type { ScanStep } from '../lake/scan/read-sql.ts'
import { chooseSnapshot, type SnapshotChoice } from '../lake/snapshot-choice.ts'
import { FileNotFound } from '../storage/errors.ts'
import { canonicalLocation } from '../storage/place.ts'
import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import type { NestedField } from '../iceberg/schema/types.ts'
import { quote } from '../lake/engine-names.ts'
import { engineTypeOf, identifier } from '../lake/engine-type.ts'
import { unknownType } from '../lake/readable.ts'
import { unreadableColumn } from './unreadable-column.ts'
import { wantedRows } from './statement/filters.ts'
import type { Resolved } from './names.ts'
import type { ExtraTable } from './options.ts'
import type { Node } from './statement/tree.ts'
import { unique } from './output/unique.ts'

/** A table as the engine sees it. */
export interface Relation {
  readonly steps: readonly ScanStep[]
  readonly paths: readonly string[]
  /** A line for people: what is read of it. */
  readonly note: string
}

/** What is read of a catalog's table. */
export interface PlannedTable {
  readonly resolved: Resolved<ExtraTable>
  readonly table: Table
  readonly plan: ReadPlan
  /** Every column, those too that the plan leaves out as their types cannot be read. */
  readonly columns: readonly NestedField[]
}

/** Plans the read of a table by the conditions of the query. Errors: those of `planRead`. */
export async function planTable(
  resolved: Resolved<ExtraTable>,
  table: Table,
  query: Node,
  choice: SnapshotChoice,
): Promise<PlannedTable> {
  const name = tableText(table.identifier)
  const { schema } = chooseSnapshot(name, table.metadata, choice)
  const nodes = resolved.uses.map(({ node }) => node)
  const filter = wantedRows(query, nodes, schema)
  const plan = await planRead(
    { name, metadata: table.metadata, io: table.io },
    { choice, filter, readable: true },
  )
  return { resolved, table, plan, columns: schema.fields }
}

/** The buckets in which the files of a plan are. */
export const bucketsOf = ({ plan }: PlannedTable): string[] => [
  ...new Set(
    plan.files.flatMap(({ file }) => /^s3:\/\/[^/]+/.exec(canonicalLocation(file.filePath))?.[0] ?? []),
  ),
]

interface Means {
  readonly scratch: string
  readonly maxDownload: number
  readonly readsStore: boolean
  readonly signal: AbortSignal
}

/** A view of a planned table, over exactly its files. Errors: those of `readyScan`. */
export async function tableRelation(
  { resolved, table, plan, columns }: PlannedTable,
  prefix: string,
  means: Means,
): Promise<Relation> {
  const name = tableText(table.identifier)
  const names = unique(columns.map((field) => field.name.toLowerCase()))
  const shown = columns.map((field, at) => {
    const isClash = names[at] !== field.name.toLowerCase()
    return isClash ? { ...field, name: `${field.name}${names[at]!.slice(field.name.length)}` } : field
  })
  const fields = shown.filter(({ id }) => plan.schema.fields.some((field) => field.id === id))
  if (fields.length === 0) throw dataError(`table ${name} has no columns`, { field: name, fix: 'add one' })
  const { steps, sql, paths } = await readyScan({
    table: { name, metadata: table.metadata, io: table.io },
    snapshot: plan.snapshot,
    fields,
    files: plan.files,
    prefix,
    ...means,
  }).catch(withFix)
  const values = shown.map((field) =>
    fields.includes(field) ? comparable(field, plan) : unreadable(name, field),
  )
  const view = `SELECT ${values.join(', ')} FROM (${sql})`
  const all = [...promotionSteps(fields, table.metadata), ...steps, ...viewSteps(resolved.parts, view)]
  return { steps: all, paths, note: noteOf(name, plan) }
}

function withFix(error: unknown): never {
  if (!(error instanceof FileNotFound)) throw error
  throw dataError(error.message, {
    field: error.location,
    fix: 'export its days again, or bring it back from a backup',
    cause: error,
  })
}

/**
 * A column that had another type: older files have that one, and DuckDB 1.5.5 cannot turn the filter that a join makes of its other
 * side into it ("Can't convert TableFilterType").
 */
function promotionSteps(fields: readonly NestedField[], { schemas }: TableMetadata): ScanStep[] {
  const types = new Map(fields.map(({ id, type }) => [id, type]))
  const isPromoted = ({ id, type }: NestedField): boolean =>
    typeof type === 'string' && types.has(id) && types.get(id) !== type
  const isAny = schemas.some((schema) => schema.fields.some(isPromoted))
  return isAny ? [{ kind: 'sql', sql: "SET disabled_optimizers = 'join_filter_pushdown'" }] : []
}

/**
 * A column for conditions and joins. Parquet's bounds leave NaN out, and the engine believes them: where there may be NaN they are
 * kept from it. Values within others are, as they are put together anew.
 */
function comparable({ id, name, type }: NestedField, { files }: ReadPlan): string {
  const column = identifier(name)
  const isFloating = type === 'float' || type === 'double'
  if (!isFloating || files.every(({ file }) => file.nanValueCounts?.get(id) === 0)) return column
  return `CASE WHEN isnan(${column}) THEN CAST('nan' AS ${engineTypeOf(type)!}) ELSE ${column} END AS ${column}`
}

/**
 * What stands for a column that cannot be read. Its values are an error: the engine computes them where a query, however it is
 * written, depends on one, and else does not. Its type tells of it.
 */
function unreadable(table: string, field: NestedField): string {
  const type = unknownType(field.type)!
  const [message, shown] = [unreadableColumn(table, field.name, type), `${type}, which cannot be read`]
  return `CAST(error(${quote(message)}) AS ENUM(${quote(shown)})) AS ${identifier(field.name)}`
}

/** A view of rows that are in no catalog. */
export async function extraRelation(
  { parts, uses }: Resolved<ExtraTable>,
  { schema, open }: ExtraTable,
  query: Node,
  scratch: string,
): Promise<Relation> {
  const wanted = wantedRows(
    query,
    uses.map(({ node }) => node),
    schema,
  )
  const { sql, paths, note } = await open(bind(schema, wanted), scratch)
  return { steps: viewSteps(parts, sql), paths, note }
}

/** A view under the name that the statement has for it, of up to three parts. */
function viewSteps(parts: readonly string[], sql: string): ScanStep[] {
  const [table, schema, database] = [...parts].reverse()
  const place = [database, schema].flatMap((part) => (part === undefined ? [] : [identifier(part)]))
  return [
    ...(database === undefined ? [] : [`ATTACH IF NOT EXISTS ':memory:' AS ${identifier(database)}`]),
    ...(schema === undefined ? [] : [`CREATE SCHEMA IF NOT EXISTS ${place.join('.')}`]),
    `CREATE VIEW ${[...place, identifier(table!)].join('.')} AS ${sql}`,
  ].map((one) => ({ kind: 'sql', sql: one }))
}

function noteOf(name: string, { snapshot, files, pruned }: ReadPlan): string {
  const deletes = new Set(
    files.flatMap(({ deletes: { vector, positions, equalities } }) =>
      [...(vector === undefined ? [] : [vector]), ...positions, ...equalities].map(
        ({ dataFile }) => `${dataFile.filePath} ${dataFile.contentOffset ?? ''}`,
      ),
    ),
  )
  const bytes = files.reduce((total, { file }) => total + file.fileSizeInBytes, 0)
  const left = [
    ...(pruned.files > 0 ? [`${pruned.files} by their bounds`] : []),
    ...(pruned.manifests > 0 ? [`all of ${pruned.manifests} manifests by their partitions`] : []),
  ]
  return [
    `${name}: ${snapshot === undefined ? 'no snapshot' : `snapshot ${snapshot['snapshot-id']}`}`,
    `files read: ${files.length} (${bytes} bytes)`,
    ...(left.length === 0 ? [] : [`left out: ${left.join(', ')}`]),
    ...(deletes.size === 0 ? [] : [`delete files: ${deletes.size}`]),
  ].join('; ')
}
