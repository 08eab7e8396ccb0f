import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../iceberg/metadata/metadata.ts'
import { asColumnType, type ColumnType, type NestedField } from '../iceberg/schema/types.ts'
import { canonicalLocation } from '../storage/place.ts'
import type { ColumnVector } from '../vector/vector.ts'
import { columnBuilder } from './column-builder.ts'
import { bindings } from './columns/bindings.ts'
import type { LakeEngine } from './engine.ts'
import { unreadable, type Footer } from './footer/footer.ts'
import { hasDeletes, type PlannedFile, type ReadTable } from './read-plan.ts'
import { readyScan, refusal } from './scan/ready-scan.ts'
import type { ScanStep } from './scan/read-sql.ts'

/** A column that is read, whatever name a file has for it. */
export interface FlatField {
  readonly id: number
  readonly name: string
  readonly type: ColumnType
}

export interface RowSource {
  readonly table: ReadTable
  /** The one that was planned, for messages. */
  readonly snapshot: Snapshot | undefined
  readonly engine: LakeEngine
  /** A local folder of this run alone: files of an object store wait there, one at a time. */
  readonly scratch: string
  /** Bytes that a file may have to be brought there. */
  readonly maxDownload: number
  readonly signal: AbortSignal
}

/** Rows that are given out at once, and bytes of one column that end a batch before. */
const batchRows = 32 * 2048
const batchBytes = 16 * 2 ** 20

/** Fields as columns. Errors: `JobError` data for one that is nested otherwise than as a list of values. */
export const flatFields = (
  { table, snapshot }: Pick<RowSource, 'table' | 'snapshot'>,
  fields: readonly NestedField[],
): FlatField[] =>
  fields.map(({ id, name, type }) => {
    const column = asColumnType(type)
    if (column === undefined)
      throw refusal(table.name, snapshot, undefined, `type ${nameOf(type)} of column ${name}`)
    return { id, name, type: column }
  })

/** Files whose rows can be taken: plain data but for `remove`, may cross threads. */
export interface ReadyRows {
  /** One of them, for messages. */
  readonly location: string
  readonly steps: readonly ScanStep[]
  readonly sql: string
  /** The temporary tables that the steps make; those of deleted positions have a row for each. */
  readonly tables: readonly string[]
}

/**
 * Looks at planned files and makes the query for their rows, by field id and without those that are deleted; columns that a
 * file has not are NULL, or what their initial default or the file's partition says. The footers are read first and held
 * against the manifest. Files of an object store are brought into a folder of the scratch folder, which `remove` removes.
 * `known`: footers that were read before, by the files' paths. Errors: as of `readRows`.
 */
export async function readyRows(
  source: Omit<RowSource, 'engine'>,
  files: readonly PlannedFile[],
  fields: readonly NestedField[],
  known?: ReadonlyMap<string, Footer>,
): Promise<{
  readonly ready: ReadyRows
  readonly footers: readonly Footer[]
  readonly remove: () => Promise<void>
}> {
  const folder = join(source.scratch, `rows-${randomBytes(8).toString('hex')}`)
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  try {
    const named = fields.map((field) => ({ ...field, name: `c${field.id}` }))
    const prefix = `rows_${randomBytes(8).toString('hex')}`
    const request = {
      ...source,
      scratch: folder,
      readsStore: false,
      fields: named,
      files,
      footers: known,
      prefix,
    }
    const { steps, sql, tables, footers } = await readyScan(request)
    const location = canonicalLocation(files[0]!.file.filePath)
    return { ready: { location, steps, sql, tables }, footers, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * The rows of a planned file (`readyRows`), in batches of one vector per field. The vectors' memory is the caller's. `onFooter`
 * is called before the first batch. Errors: `JobError` data for a file that is not there, not as its manifest says, damaged, or
 * with a feature that cannot be read. `where`: a condition in SQL over `c<id>`, for some of the rows.
 */
export async function* readRows(
  source: RowSource,
  planned: PlannedFile,
  fields: readonly NestedField[],
  onFooter: (footer: Footer) => void = () => undefined,
  where?: string,
): AsyncIterable<readonly ColumnVector[]> {
  const { engine } = source
  const { file } = planned
  const flat = flatFields(source, fields)
  const { ready, footers, remove } = await readyRows(source, [planned], fields)
  const { location, steps, sql, tables } = ready
  try {
    onFooter(footers[0]!)
    if (file.recordCount === 0) return
    let rows = 0
    try {
      await engine.take(steps, location)
      const wanted = where === undefined ? sql : `SELECT * FROM (${sql}) WHERE ${where}`
      for await (const batch of batches(engine.stream(wanted, location), flat)) {
        rows += batch[0]?.rows ?? 0
        yield batch
      }
    } finally {
      await engine.drop(tables)
    }
    if (where !== undefined) return
    if (hasDeletes(planned) ? rows > file.recordCount : rows !== file.recordCount)
      throw unreadable(location, `${rows} rows came of it, its footer says ${file.recordCount}`)
  } finally {
    await remove()
  }
}

async function* batches(
  chunks: ReturnType<LakeEngine['stream']>,
  fields: readonly FlatField[],
): AsyncIterable<readonly ColumnVector[]> {
  const builders = fields.map(({ type }) => columnBuilder(type, batchRows))
  let rows = 0
  for await (const { chunk, rowCount } of chunks) {
    if (rows + rowCount > batchRows || builders.some((builder) => builder.bytes() > batchBytes)) {
      yield builders.map((builder) => builder.take())
      rows = 0
    }
    for (const [column, builder] of builders.entries())
      builder.add(bindings().data_chunk_get_vector(chunk, column), rowCount)
    rows += rowCount
  }
  if (rows > 0) yield builders.map((builder) => builder.take())
}

const nameOf = (type: NestedField['type']): string => (typeof type === 'string' ? type : type.type)
