import { rangesOf } from '../../calendar.ts'
import { JobError } from '../../errors.ts'
import { tableText } from '../../iceberg/catalog/catalog.ts'
import type { Predicate } from '../../iceberg/expression/predicate.ts'
import { isIn, rowsOf, type Replaced, type SourceRead } from '../../provenance/provenance.ts'
import type { ExportRun } from '../export-run.ts'
import { filterOf, type Scope } from '../target/scope.ts'
import { loadTable, type TableTarget } from '../target/table-target.ts'
import { createDataFiles } from '../write/data-files.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { commitTable } from './commit-table.ts'
import { assertNoShrink, scopeSize, type ScopeSize } from '../../provenance/replacing/shrink-guard.ts'
import type { Sink, SinkOutcome } from './sink.ts'
import { leftToReplace } from '../../provenance/replacing/standing-rows.ts'
import { unchangedText } from './unchanged.ts'

/** The table of the catalog: data files that one commit puts in the place of others. */
export function icebergSink(
  run: ExportRun,
  target: TableTarget,
  scope: Scope,
  files: {
    readonly columns: readonly ParquetColumn[]
    readonly targetBytes: number
    readonly operationId: string
  },
): Sink {
  const { options, context } = run
  const { metadata, io } = target.table
  const table = tableText(target.table.identifier)
  const data = createDataFiles({
    ...files,
    io,
    schema: target.schema,
    location: metadata.location,
    properties: metadata.properties,
    specId: target.spec['spec-id'],
    fields: scope.fields.slice(0, scope.own),
    scratch: options.scratch,
    signal: context.signal,
  })
  /** From the swap on, or where nobody knows of it, the files may be the table's. */
  let mayBeNeeded = false

  const discard = async (): Promise<void> => {
    if (mayBeNeeded) return
    const left = await data.discard()
    if (left.length > 0) context.logger.warn({ table, files: left }, 'data files could not be removed')
  }
  return {
    format: 'iceberg',
    add: ({ partition, interval, rowGroup }) => data.add({ partition, rowGroup }, interval),
    async stage(read) {
      const replaced = await replacedNow(run, target, scope, read)
      if (isNothingToDo(target, replaced)) {
        context.logger.info({ table, rows: rowsOf(read, 'full') }, unchangedText)
        const { metadataLocation } = target.table
        const outcome: SinkOutcome = {
          ...{ format: 'iceberg', replaced, unchanged: true, superseded: 'none', files: 0, bytes: 0 },
          ...(metadataLocation === undefined ? {} : { metadataLocation }),
        }
        return { publish: () => Promise.resolve(outcome) }
      }
      const { rows } = await sizeOf(target, filterOf(scope, replaced))
      assertNoShrink(table, rows, rowsOf(read, replaced), options.maxShrink, options.where)
      const addFiles = await data.finish((interval) => isIn(replaced, interval))
      return {
        async publish(): Promise<SinkOutcome> {
          const staged = { replaced, addFiles }
          const committed = await commitTable(run, target, scope, read, staged, files.operationId).catch(
            (error: unknown) => {
              mayBeNeeded = error instanceof JobError && error.code === 'unknownCommit'
              throw error
            },
          )
          if (committed.kind === 'superseded') {
            context.logger.info(
              { table, snapshot: String(committed.by['snapshot-id']) },
              'a later read is in the table',
            )
            return {
              ...{ format: 'iceberg', replaced, unchanged: false, superseded: 'all', files: 0, bytes: 0 },
            }
          }
          mayBeNeeded = true
          const { metadataLocation } = committed.table
          return {
            format: 'iceberg',
            replaced,
            // No row before, none now.
            unchanged: committed.kind === 'unchanged' && !target.isNew && target.changes.length === 0,
            superseded: 'none',
            files: addFiles.length,
            changes: target.changes,
            bytes: addFiles.reduce((sum, file) => sum + file.fileSizeInBytes, 0),
            ...(committed.kind === 'committed' && { snapshotId: String(committed.snapshot['snapshot-id']) }),
            ...(metadataLocation === undefined ? {} : { metadataLocation }),
          }
        },
      }
    },
    discard,
  }
}

/** What an export of everything that was asked for would remove of the table. */
export const replacedSize = (target: TableTarget, scope: Scope): Promise<ScopeSize> =>
  sizeOf(target, filterOf(scope, replacedByScope(scope)))

const replacedByScope = ({ days }: Scope): Replaced => (days === undefined ? 'full' : rangesOf(days.all))

/** What is replaced when rows that are there as they were read may stay, by the table as it is now. */
async function replacedNow(
  { options, catalog, context }: ExportRun,
  { table, isNew, spec, changes }: TableTarget,
  scope: Scope,
  read: SourceRead,
): Promise<Replaced> {
  const asked = replacedByScope(scope)
  // Days stay while the schema changes around them; a table that is replaced as a whole takes its new form.
  if (!options.onlyChanged || isNew || (asked === 'full' && changes.length > 0)) return asked
  const now = await loadTable(catalog, table.identifier)
  if (now?.metadata['table-uuid'] !== table.metadata['table-uuid']) return asked
  return leftToReplace(now, scope.days, spec['spec-id'], read, ({ location, reason }) => {
    context.logger.warn(
      { table: tableText(table.identifier), file: location },
      `a file is replaced: ${reason}`,
    )
  })
}

const isNothingToDo = ({ isNew, changes }: TableTarget, replaced: Replaced): boolean =>
  !isNew && changes.length === 0 && replaced !== 'full' && replaced.length === 0

const sizeOf = async ({ isNew, table }: TableTarget, filter: Predicate): Promise<ScopeSize> =>
  isNew ? { rows: 0, files: 0 } : scopeSize(table, filter)
