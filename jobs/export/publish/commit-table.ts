import { effectsOf } from '../../context.ts'
import { shellWord } from '../../errors.ts'
import type { CommitResult } from '../../iceberg/snapshot/commit.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { Replaced, SourceRead } from '../../provenance/provenance.ts'
import { commitRead } from '../../provenance/replacing/commit-read.ts'
import type { ExportRun } from '../export-run.ts'
import { filterOf, type Scope } from '../target/scope.ts'
import type { TableTarget } from '../target/table-target.ts'

/** Files for a commit, and what they come in place of. */
export interface StagedTable {
  readonly replaced: Replaced
  readonly addFiles: readonly DataFile[]
}

/** Replaces rows of the table by files in one snapshot. */
export function commitTable(
  { context, catalog }: ExportRun,
  { table, updates, requirements }: TableTarget,
  scope: Scope,
  read: SourceRead,
  { replaced, addFiles }: StagedTable,
  operationId: string,
): Promise<CommitResult> {
  const { days } = scope
  const fix = days && `run once with --mode full --partition-by ${shellWord(`day(${days.column.name})`)}`
  const staged = { table, read, replaced, filter: filterOf(scope, replaced), addFiles, updates, requirements }
  return commitRead(
    catalog,
    { ...staged, ...(fix !== undefined && { fix }) },
    { ...effectsOf(context), uuid: () => operationId },
  )
}
