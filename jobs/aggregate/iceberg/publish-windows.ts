import { randomUUID } from 'node:crypto'
import { rangesOf, type Day, type DayRange } from '../../calendar.ts'
import { effectsOf, type JobContext } from '../../context.ts'
import { JobError } from '../../errors.ts'
import { tableText, type Catalog } from '../../iceberg/catalog/catalog.ts'
import { currentSchema, defaultSpec } from '../../iceberg/metadata/metadata.ts'
import { writeSettings } from '../../iceberg/writer/write-settings.ts'
import { daysFilter } from '../../provenance/days-filter.ts'
import { summed, type IntervalFingerprint } from '../../provenance/intervals.ts'
import { isIn, rowsOf, type SourceRead } from '../../provenance/provenance.ts'
import { commitRead } from '../../provenance/replacing/commit-read.ts'
import { leftToReplace } from '../../provenance/replacing/standing-rows.ts'
import { crudLogs } from '../../provenance/source.ts'
import type { TableSummary } from '../../summary.ts'
import type { EmailCounts } from '../counts.ts'
import type { ResultTable } from './result-table.ts'
import { createWindowFiles, type WindowFiles } from './window-files.ts'

/** A window's result that is published. */
export interface PublishedWindow {
  readonly last: Day
  readonly length: number
  /** Hands its rows over, in their order. */
  readonly read: (take: (batch: EmailCounts) => Promise<void>) => Promise<void>
}

/**
 * Puts windows in the place of the rows that the table has under their last days, all in one snapshot, as an export replaces
 * days (export-spec §3): what is there as it was counted stays, and a result of a run that began later is left as it is.
 * `startedAt`: when the run began to look at the logs. Errors: those of `commitSnapshot` and of the store.
 */
export async function publishWindows(
  catalog: Catalog,
  target: ResultTable,
  windows: readonly PublishedWindow[],
  startedAt: Date,
  context: JobContext,
): Promise<TableSummary> {
  const { table } = target
  const name = tableText(table.identifier)
  const { location } = table.metadata
  const { fields } = currentSchema(table.metadata)
  context.touches?.({ role: 'output', kind: 'lake', table: name, location, fields })
  const operationId = randomUUID()
  const unsaid = { codec: undefined, targetFileBytes: undefined, groupBytes: undefined }
  const settings = writeSettings(unsaid, table.metadata.properties, (level, line) => {
    context.logger[level]({ table: name }, line)
  })
  const files = await createWindowFiles(target, settings, operationId, context.signal)
  let mayBeNeeded = false
  try {
    const read = await writeAll(target, windows, files, startedAt, context)
    const days = windows.map(({ last }) => last)
    const replaced = await leftNow(catalog, target, days, read, context)
    const left = days.filter((day) => isIn(replaced, { kind: 'day', day }))
    if (left.length === 0)
      return { table: name, status: 'unchanged', mode: 'day', rows: 0, files: 0, bytes: 0 }
    const addFiles = files.of(left)
    const filter = daysFilter(target.fields[0]!, replaced)
    const effects = { ...effectsOf(context), uuid: () => operationId }
    const staged = { table, read, replaced, filter, addFiles }
    const committed = await commitRead(catalog, staged, effects).catch((error: unknown) => {
      mayBeNeeded = error instanceof JobError && error.code === 'unknownCommit'
      throw error
    })
    if (committed.kind === 'superseded')
      return { table: name, status: 'superseded', mode: 'day', rows: 0, files: 0, bytes: 0 }
    mayBeNeeded = true
    const { metadataLocation } = committed.table
    const unneeded = await files.discard((day) => !left.includes(day))
    if (unneeded.length > 0) context.logger.warn({ table: name, files: unneeded }, notRemoved)
    return {
      ...{ table: name, status: 'ok', mode: 'day', rows: rowsOf(read, replaced), files: addFiles.length },
      bytes: addFiles.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0),
      ...(committed.kind === 'committed' && { snapshotId: String(committed.snapshot['snapshot-id']) }),
      ...(metadataLocation !== undefined && { metadataLocation }),
    }
  } finally {
    if (!mayBeNeeded) {
      const left = await files.discard(() => true)
      if (left.length > 0) context.logger.warn({ table: name, files: left }, notRemoved)
    }
  }
}

const notRemoved = 'data files could not be removed'

/** Writes the windows' files; what they have, as it is told in the table. */
async function writeAll(
  { fields }: ResultTable,
  windows: readonly PublishedWindow[],
  files: WindowFiles,
  startedAt: Date,
  { runId }: JobContext,
): Promise<SourceRead> {
  const fingerprints: IntervalFingerprint[] = []
  for (const { last, length, read } of windows)
    fingerprints.push({
      interval: { kind: 'day', day: last },
      fingerprint: await files.write({ last, length }, read),
    })
  return {
    runId,
    source: { table: crudLogs },
    sourceTime: startedAt.toISOString().replace('Z', '000Z'),
    fieldIds: fields.map(({ id }) => id),
    readAs: {
      day: fields[0]!.id,
      ...{ casts: new Map(), lossyCasts: new Map(), decimals: new Map(), rowSecurity: false },
    },
    intervals: summed(fingerprints),
  }
}

/** The days whose rows are not in the table as they were counted, by the table as it is now. */
async function leftNow(
  catalog: Catalog,
  { table, isNew, fields }: ResultTable,
  days: readonly Day[],
  read: SourceRead,
  { logger }: JobContext,
): Promise<readonly DayRange[]> {
  if (isNew) return rangesOf(days)
  const now = await catalog.load(table.identifier)
  if (now.metadata['table-uuid'] !== table.metadata['table-uuid']) return rangesOf(days)
  const column = { column: fields[0]!, all: days }
  const specId = defaultSpec(table.metadata)['spec-id']
  const left = await leftToReplace(now, column, specId, read, ({ location, reason }) => {
    logger.warn({ table: tableText(table.identifier), file: location }, `a file is replaced: ${reason}`)
  })
  return left === 'full' ? rangesOf(days) : left
}
