import { mapConcurrently } from '../../concurrency.ts'
import { dataError } from '../../errors.ts'
import type { DataFileSettings } from '../../iceberg/writer/data-file-writer.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import type { Footer } from '../../lake/footer/footer.ts'
import type { PlannedFile } from '../../lake/read-plan.ts'
import { flatFields, readyRows, type ReadyRows, type RowSource } from '../../lake/read-rows.ts'
import type { CompactionGroup } from '../../lake/upkeep/compaction.ts'
import { copyFiles, type Copying } from './copy/copy-files.ts'
import { decodeFiles, type RestOfFile } from './decode-files.ts'
import { outputFiles } from './output-files.ts'
import type { RowGroups } from './row-groups.ts'

export interface GroupMeans {
  readonly source: Omit<RowSource, 'engine'>
  readonly fields: readonly NestedField[]
  /** Without the specs' part. */
  readonly output: Omit<DataFileSettings, 'specId' | 'fields'>
  readonly specFields: (specId: number) => DataFileSettings['fields']
  readonly copying: Omit<Copying, 'io' | 'signal'>
  readonly targetBytes: number
  readonly name: () => string
  readonly onRows: (rows: number) => void
}

/** A group's rows in other files, which no snapshot has yet. */
export interface RewrittenGroup {
  readonly group: CompactionGroup
  readonly files: readonly DataFile[]
  readonly rows: number
  readonly deleted: number
}

/** Files that are read by one query, where there is enough for every reader: less is on its way, more costs fewer queries. */
const [leastRunBytes, mostRunBytes] = [8 * 2 ** 20, 64 * 2 ** 20]
const runFiles = 64

/**
 * Writes the rows of a group's files, without those that are deleted, into new ones of the same partition: row groups as they are
 * (`copyFiles`), the rest by as many of `readers` as there are (`decodeFiles`, then DuckDB). Nothing of it stays behind where it fails. Errors: those of `readyRows`; data, where not exactly the
 * rows came that were to come; those of the store.
 */
export async function rewriteGroup(
  group: CompactionGroup,
  readers: readonly RowGroups[],
  { source, fields, output, copying, specFields, targetBytes, name, onRows }: GroupMeans,
): Promise<RewrittenGroup> {
  const { specId, partition, bytes, outputs } = group
  const written = outputFiles({
    ...output,
    specId,
    fields: specFields(specId),
    partition,
    bytes,
    outputs,
    targetBytes,
    name,
  })
  let deleted = 0
  const copy = (): Promise<PlannedFile[]> =>
    copyFiles(group.files, { ...copying, io: source.table.io, signal: source.signal }, async (rowGroup) => {
      await written.add(rowGroup)
      onRows(rowGroup.rowCount)
    })
  let runs: Run[] = []
  let footers: ReadonlyMap<string, Footer> = new Map()
  let next = 0
  const lane = async (reader: RowGroups): Promise<void> => {
    for (let run = runs[next++]; run !== undefined; run = runs[next++]) {
      source.signal.throwIfAborted()
      const { files, taken: before } = run
      const { ready, remove } = await readyRows(source, files, fields, footers)
      try {
        const taken = await reader.read(withoutFirst(ready, before), written.add)
        assertAll(source.table.name, ready.location, files, { ...taken, rows: taken.rows + before })
        deleted += taken.deleted
        onRows(taken.rows)
      } finally {
        await remove()
      }
    }
    await reader.flush(written.add)
  }
  try {
    const { io } = source.table
    const decoding = {
      ...{ io, signal: source.signal, take: written.add, onRows },
      fields: flatFields(source, fields),
    }
    const rest = await decodeFiles(await copy(), readers, decoding)
    footers = new Map(
      rest.flatMap(({ planned, footer }) => (footer ? [[planned.file.filePath, footer]] : [])),
    )
    runs = runsOf(rest, readers.length)
    await mapConcurrently(readers, readers.length, lane)
    const files = await written.finish()
    const rows = files.reduce((sum, { recordCount }) => sum + recordCount, 0)
    assertAll(source.table.name, group.files[0]!.file.filePath, group.files, { rows, deleted })
    return { group, files, rows, deleted }
  } catch (error) {
    await written.discard()
    throw error
  }
}

/** Files that are read by one query. `taken`: rows that are there, of one file alone. */
interface Run {
  readonly files: PlannedFile[]
  readonly taken: number
}

function runsOf(rest: readonly RestOfFile[], readers: number): Run[] {
  const all = rest.reduce((sum, { planned }) => sum + planned.file.fileSizeInBytes, 0)
  const runBytes = Math.min(mostRunBytes, Math.max(leastRunBytes, all / readers))
  const runs: Run[] = rest
    .filter(({ taken }) => taken > 0)
    .map(({ planned, taken }) => ({ files: [planned], taken }))
  let last: PlannedFile[] = []
  let bytes = Infinity
  for (const { planned } of rest.filter(({ taken }) => taken === 0)) {
    if (bytes >= runBytes || last.length >= runFiles) {
      runs.push({ files: (last = []), taken: 0 })
      bytes = 0
    }
    last.push(planned)
    bytes += planned.file.fileSizeInBytes
  }
  return runs
}

/** DuckDB gives a file's rows in their order. */
const withoutFirst = (ready: ReadyRows, rows: number): ReadyRows =>
  rows === 0 ? ready : { ...ready, sql: `SELECT * FROM (${ready.sql}) OFFSET ${rows}` }

function assertAll(
  table: string,
  location: string,
  files: readonly PlannedFile[],
  { rows, deleted }: { readonly rows: number; readonly deleted: number },
): void {
  const known = files.reduce((sum, { file }) => sum + file.recordCount, 0)
  if (rows === known - deleted) return
  throw dataError(
    `table ${table}: ${files.length} files from ${location} on have ${known} rows, ${deleted} of them deleted, and ${rows} came of them`,
    { field: table, fix: 'nothing was changed; rewrite them with Spark (rewrite_data_files)' },
  )
}
