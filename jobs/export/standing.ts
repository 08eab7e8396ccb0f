import { asError, JobError } from '../errors.ts'
import type { Table } from '../iceberg/catalog/catalog.ts'
import { currentSchema } from '../iceberg/metadata/metadata.ts'
import type { WantedColumn } from '../iceberg/schema/schema-evolution.ts'
import { fieldByName } from '../iceberg/schema/schema.ts'
import { allFaults } from '../postgres/faults.ts'
import type { PlannedTable } from '../postgres/snapshot.ts'
import type { KnownTable } from '../postgres/source/plan.ts'
import { readerOf, type ExportRun } from './export-run.ts'
import { assertOwnFolder } from './publish/own-folder.ts'
import { assertPlain } from './publish/plain-sink.ts'
import { wantedColumns } from './target/columns.ts'
import { BucketNotFound } from '../storage/errors.ts'
import type { TablePair } from './target/names.ts'
import { renamesOf } from './target/own-renames.ts'
import { prepareTarget } from './target/table-target.ts'
import { targetRequest } from './target/target-request.ts'
import { plainFilesThere } from './write/plain-files.ts'

/** A table of a call, as far as it is known. */
export interface TableToWrite {
  readonly pair: TablePair
  readonly planned: PlannedTable
  /** As the catalog has it, or why it cannot be loaded. */
  readonly existing: Table | Error | undefined
}

type Planning = Pick<ExportRun, 'options' | 'context' | 'catalog' | 'parquetIO' | 'server' | 'sourceTime'>

/**
 * All that stands in the way of one table, of its source and of what it is written to, as one error (export-spec §6.7);
 * undefined when nothing does. Reads metadata and footers, writes nothing. An error that is no fault of table, settings or flags
 * comes as it is.
 */
export async function standingInTheWay(run: Planning, table: TableToWrite): Promise<Error | undefined> {
  const { planned, existing } = table
  const errors: Error[] = []
  if (existing instanceof Error) errors.push(existing)
  if ('error' in planned) errors.push(planned.error)
  const known: KnownTable | undefined = 'plan' in planned ? { ...planned.plan, faulty: [] } : planned.known
  if (known !== undefined) {
    if (!(existing instanceof Error))
      errors.push(...(await failures([() => target(run, table.pair, known, existing)])))
    if (run.options.formats.has('parquet')) errors.push(...(await plainFailures(run, table.pair, known)))
  }
  const faults = errors.filter(isFault)
  return errors.find((error) => !isFault(error)) ?? (faults.length === 0 ? undefined : allFaults(faults))
}

/** What a user can do something about before a run. */
export const isFault = (error: unknown): error is JobError =>
  error instanceof JobError && (error.code === 'usage' || error.code === 'data')

async function failures(attempts: readonly (() => Promise<unknown>)[]): Promise<Error[]> {
  const errors: Error[] = []
  for (const attempt of attempts) await attempt().catch((error: unknown) => errors.push(asError(error)))
  return errors
}

async function target(
  { options, catalog, context }: Planning,
  pair: TablePair,
  known: KnownTable,
  existing: Table | undefined,
): Promise<void> {
  const renames = renamesOf(options.renames, pair.source)
  const standIns = known.faulty.map((name) => standIn(name, renames, existing))
  const columns = [...wantedColumns(known.columns, options.required || existing !== undefined), ...standIns]
  // Its source says that already.
  if (columns.length === 0) return
  const request = targetRequest(
    options,
    pair,
    { ...known, columns: [...known.columns, ...standIns] },
    columns,
  )
  const isPartition = ({ column }: { readonly column: string }): boolean => known.faulty.includes(column)
  // By a column of a type that nobody knows nothing can be partitioned: that would be no fault of its own.
  if ([...(request.partitionBy ?? []), ...request.newTablesBy].some(isPartition)) return
  await prepareTarget(catalog, existing, request, context.now().getTime())
}

/** A column whose type has yet to be said: that of the lake's, which it will have to have. */
function standIn(
  name: string,
  renames: Readonly<Record<string, string>>,
  existing: Table | undefined,
): WantedColumn {
  const schema = existing && currentSchema(existing.metadata)
  const [before] = Object.entries(renames).find(([, to]) => to === name) ?? []
  const field =
    schema && (fieldByName(schema, name) ?? (before === undefined ? undefined : fieldByName(schema, before)))
  return { name, type: field?.type ?? 'string', required: false }
}

async function plainFailures(run: Planning, pair: TablePair, known: KnownTable): Promise<Error[]> {
  const { options, parquetIO } = run
  const { parquetLocation: folder, scope, dropColumns } = options
  const chosen = { ...known, columns: [...known.columns, ...known.faulty.map((name) => ({ name }))] }
  const errors = await failures([
    () => assertOwnFolder(parquetIO, folder, pair, scope),
    async () => {
      if (scope.mode === 'day' && known.dayColumn === undefined) return
      const files = { io: parquetIO, folder, table: pair.folder, scope }
      for (const { unit, file } of await plainFilesThere(files, known.dayColumn))
        assertPlain(unit.location, file, readerOf(run, pair, known), chosen, dropColumns)
    },
  ])
  // A dry run is let through to here without a bucket only where the run itself would make it.
  return errors.filter((error) => !(error instanceof BucketNotFound))
}
