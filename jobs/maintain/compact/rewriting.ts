import { mapConcurrently } from '../../concurrency.ts'
import type { JobContext } from '../../context.ts'
import { tableText, type Table } from '../../iceberg/catalog/catalog.ts'
import { writeSettings } from '../../iceberg/writer/write-settings.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { metricsModes } from '../../iceberg/metrics/metrics-mode.ts'
import { specTypeOf } from '../../iceberg/manifest/table-files.ts'
import { branchSnapshot, currentSchema, mainBranch } from '../../iceberg/metadata/metadata.ts'
import type { CompactionGroup, CompactionPlan } from '../../lake/upkeep/compaction.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { Batch } from './batches.ts'
import { openReaders } from './readers.ts'
import { rewriteGroup, type GroupMeans, type RewrittenGroup } from './rewrite-group.ts'
import { parquetColumns, type RowGroups } from './row-groups.ts'

/** A batch's rows in files that no snapshot has yet. */
export interface Rewritten {
  readonly files: readonly DataFile[]
  readonly rows: number
  readonly deletedRows: number
  /** Removes them. */
  discard(): Promise<void>
}

/** Rewrites batches of one table, as long as its schema stays. */
export interface Rewriting {
  /** `table`: as the batch was planned for. Nothing stays behind where it fails. Errors: those of `rewriteGroup`. */
  rewrite(batch: Batch, table: Table, operationId: string): Promise<Rewritten>
  close(): Promise<void>
}

/** Larger groups are read by all readers at once, smaller ones by one each. */
const sharedBytes = 16 * 2 ** 20

/** Larger row groups, which exports can be told to make, are parted: they would take more memory than is ours. */
const mostCopied = 32 * 2 ** 20

export function openRewriting(
  { identifier, metadata }: Table,
  plan: CompactionPlan,
  maxDownload: number,
  scratch: string,
  { signal, logger, progress }: JobContext,
): Rewriting {
  const name = tableText(identifier)
  const { properties } = metadata
  const schema = currentSchema(metadata)
  const given = { codec: undefined, targetFileBytes: undefined, groupBytes: undefined }
  const settings = writeSettings(given, properties, (level, line) => {
    logger[level]({ table: name }, line)
  })
  const columns = parquetColumns(schema.fields)
  const { codec, level, pages, targetFileBytes } = settings
  // A file of two row groups must not be too large again.
  const groupBytes = Math.max(1, Math.min(settings.groupBytes, Math.floor(targetFileBytes / 2)))
  const files = plan.groups.flatMap((group) => group.files)
  const bytes = files.reduce((sum, { file }) => sum + file.fileSizeInBytes, 0)
  const readers = openReaders({ ...columns, codec, level, pages, groupBytes }, bytes, scratch, signal)
  const rows = files.reduce((sum, { file }) => sum + file.recordCount, 0)
  const bar = progress.start(`compact ${name}`, rows, 'rows')

  return {
    async rewrite({ groups }, table, operationId) {
      const { io } = table
      let count = 0
      const means: GroupMeans = {
        source: {
          table: { ...table, name },
          snapshot: branchSnapshot(table.metadata, mainBranch),
          scratch,
          maxDownload,
          signal,
        },
        fields: schema.fields,
        output: {
          io,
          location: table.metadata.location,
          schema,
          columns: columns.columns,
          properties,
          signal,
        },
        copying: {
          columns: columns.columns,
          codec,
          pages,
          modes: metricsModes(schema, properties),
          mostBytes: Math.min(mostCopied, targetFileBytes / 2),
        },
        specFields: (specId) => specTypeOf(table.metadata, specId).type,
        targetBytes: targetFileBytes,
        name: () => `${String(count++).padStart(5, '0')}-0-${operationId}-00001.parquet`,
        onRows: (more) => {
          bar.add(more)
        },
      }
      const done: RewrittenGroup[] = []
      const discard = async (): Promise<void> => {
        const locations = done.flatMap(({ files }) =>
          files.map(({ filePath }) => canonicalLocation(filePath)),
        )
        const { failures } = await io.deleteAll(locations)
        if (failures.length > 0)
          logger.warn({ table: name, files: failures.length }, 'data files could not be removed')
      }
      try {
        await rewriteGroups(groups, readers.all, async (group, some) => {
          done.push(await rewriteGroup(group, some, means))
        })
      } catch (error) {
        await discard()
        throw error
      }
      return {
        files: done.flatMap(({ files }) => files),
        rows: done.reduce((sum, one) => sum + one.rows, 0),
        deletedRows: done.reduce((sum, one) => sum + one.deleted, 0),
        discard,
      }
    },
    async close() {
      bar.done()
      await readers.close()
    },
  }
}

async function rewriteGroups(
  groups: readonly CompactionGroup[],
  readers: readonly RowGroups[],
  rewrite: (group: CompactionGroup, readers: readonly RowGroups[]) => Promise<void>,
): Promise<void> {
  const isShared = ({ bytes }: CompactionGroup): boolean => bytes >= sharedBytes && readers.length > 1
  for (const group of groups.filter(isShared)) await rewrite(group, readers)
  const idle = [...readers]
  await mapConcurrently(
    groups.filter((group) => !isShared(group)),
    readers.length,
    async (group) => {
      const reader = idle.pop()!
      await rewrite(group, [reader])
      idle.push(reader)
    },
  )
}
