import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { commitSnapshot, type CommitResult } from '../iceberg/commit.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import { mainBranch } from '../iceberg/metadata.ts'
import type { ExportRun } from './export-run.ts'
import { compareReads, provenanceEntries, type Replaced, type SourceRead } from './provenance.ts'
import { filterOf, type Scope } from './scope.ts'
import type { TableTarget } from './table-target.ts'

/** Files for a commit, and what they come in place of. */
export interface StagedTable {
  readonly replaced: Replaced
  readonly addFiles: readonly DataFile[]
}

/** Replaces rows of the table by files in one snapshot, with what is to be known of their source in its summary. */
export function commitTable(
  { context, catalog }: ExportRun,
  target: TableTarget,
  scope: Scope,
  read: SourceRead,
  { replaced, addFiles }: StagedTable,
  operationId: string,
): Promise<CommitResult> {
  const { metadata } = target.table
  const filter = filterOf(scope, replaced)
  return commitSnapshot(
    catalog,
    target.table,
    {
      startingSnapshotId: metadata.refs[mainBranch]?.['snapshot-id'],
      branch: mainBranch,
      operation: 'overwrite',
      addFiles,
      removeFiles: { kind: 'rows', filter },
      conflictFilter: filter,
      compareWith: (summary) => compareReads(read, replaced, summary),
      summary: provenanceEntries(read, replaced),
      tableUpdates: target.updates,
      tableRequirements: target.requirements,
    },
    {
      now: context.now,
      uuid: () => operationId,
      randomBytes,
      random: Math.random,
      sleep: (ms) => setTimeout(ms, undefined, { signal: context.signal }),
      signal: context.signal,
      log: (level, fields, message) => {
        context.logger[level](fields, message)
      },
    },
  )
}
