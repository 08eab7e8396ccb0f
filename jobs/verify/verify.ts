import type { JobContext } from '../context.ts'
import { printTable } from '../config/table-key.ts'
import { asError, dataError, decisive, JobError, shellWord } from '../errors.ts'
import { tableText } from '../iceberg/catalog/catalog.ts'
import { defaultSpec } from '../iceberg/metadata/metadata.ts'
import { NoSuchTableError } from '../iceberg/errors.ts'
import { noSuchTable } from '../lake/find-tables.ts'
import { lakeEngine } from '../lake/engine.ts'
import { crudLogs, writeAgain } from '../provenance/source.ts'
import { openScratch } from '../storage/scratch.ts'
import {
  failedTable,
  withOutcome,
  type Outcome,
  type TableSummary,
  type VerifiedInterval,
} from '../summary.ts'
import type { VerifiedTable, VerifyOptions, VerifyStores } from './options.ts'
import { preparePlain } from './prepare-plain.ts'
import { prepareTable } from './prepare-table.ts'
import type { Prepared } from './prepared.ts'
import { managedTables } from './managed-tables.ts'
import { openSourceReads, type SourceReads } from './source-reads.ts'
import { fails, verifyTable } from './verify-table.ts'

interface Target {
  readonly table: VerifiedTable
  readonly prepared: Prepared | Error
}

/**
 * Proves, or disproves, that the lake has the rows that were exported (lake-spec §2): they are decoded from the data files
 * and hashed as the export hashed them, then compared with the fingerprints that the exports left and, unless only those
 * are asked for, with the source read again. The lake's snapshots are fixed first, then the source's instant. Throws
 * exit 3 with all outcomes where something is wrong.
 */
export async function verifyTables(
  options: VerifyOptions,
  stores: VerifyStores,
  context: JobContext,
): Promise<Outcome> {
  const { signal } = context
  const targets: Target[] = []
  const tables = options.tables ?? (await managedTables(stores.catalog, options.namespace))
  for (const table of tables) {
    const prepared = await context.during('plan', () => prepareAll(table, options, stores))
    const dayless = prepared.find((target) => isDayless(target, options))
    if (dayless === undefined) targets.push(...prepared)
    else
      context.logger.info(
        { table: tableText(table.target) },
        'left out: it does not tell its rows apart by day',
      )
  }
  const readable = targets.flatMap(({ prepared }) => (prepared instanceof Error ? [] : [prepared]))
  const scratch = await openScratch(options.scratch)
  const engine = lakeEngine({
    threads: 2,
    memoryLimit: options.memoryLimit,
    scratch: scratch.folder,
    signal,
  })
  let reads: SourceReads | undefined
  try {
    if (options.against === 'source' && !options.counts)
      reads = await context.during('source', () =>
        openSourceReads(readable, options, stores.connectSource, signal),
      )
    const summaries: TableSummary[] = []
    const failures: Error[] = []
    for (const { table, prepared } of targets) {
      const name = tableText(table.target)
      try {
        if (prepared instanceof Error) throw prepared
        const means = { options, context, engine, scratch: scratch.folder, reads, hasher: stores.hasher }
        const summary = await verifyTable(means, prepared, name)
        const wrong = report(summary, table, prepared, options, context, failures)
        summaries.push({ ...summary, ...wrong })
      } catch (error) {
        signal.throwIfAborted()
        const failure = asError(error)
        failures.push(failure)
        summaries.push(failedTable(name, failure))
      }
    }
    const outcome = verifyOutcome(options, summaries)
    if (failures.length > 0) throw withOutcome(decisive(failures), outcome)
    return outcome
  } finally {
    engine.close()
    await Promise.all([reads?.close(), scratch.remove()])
  }
}

/** Nobody has asked for days of this table, but for those of all that have some. */
const isDayless = ({ prepared }: Target, { isAll, days }: VerifyOptions): boolean =>
  isAll && days !== undefined && prepared instanceof JobError && prepared.field === '--date'

/** A table in each format that is asked for. Of plain Parquet there may be none, unless it is all that is asked for. */
async function prepareAll(
  table: VerifiedTable,
  options: VerifyOptions,
  { catalog, parquetIO, parquetLocation }: VerifyStores,
): Promise<Target[]> {
  const { formats } = options
  const { target, folder, source } = table
  const targets: Target[] = []
  const add = (prepared: Prepared | Error): number => targets.push({ table, prepared })
  if (formats.has('iceberg'))
    add(
      await catalog
        .load(target)
        .then((loaded) => prepareTable(loaded, source, options))
        .catch((error: unknown) =>
          error instanceof NoSuchTableError
            ? noSuchTable(catalog, tableText(target), options.namespace)
            : asError(error),
        ),
    )
  if (formats.has('parquet')) {
    const plain = await preparePlain(parquetIO, parquetLocation, folder, source, options).catch(asError)
    for (const one of plain instanceof Error ? [plain] : plain) add(one)
  }
  if (targets.length === 0) add(noPlainFile(tableText(target), parquetLocation, options))
  return targets
}

const noPlainFile = (table: string, location: string, { days }: VerifyOptions): Error =>
  days === undefined
    ? dataError(`there is no plain Parquet file of table ${table} at ${location}`, {
        field: 'PARQUET_LOCATION',
        fix: `export it: lakejobs export --table ${shellWord(`SOURCE=${table}`)} --format parquet; or correct PARQUET_LOCATION`,
      })
    : dataError(`there are no plain Parquet files of days of table ${table} at ${location}`, {
        field: '--date',
        fix: 'leave the days out: a file with all rows is verified as a whole',
      })

/** Says what is not proven, and adds a failure for what is wrong: what is said of the table. */
function report(
  { table, verified }: TableSummary,
  { source }: VerifiedTable,
  { format, table: { metadata }, known, compared, unreadable }: Prepared,
  options: VerifyOptions,
  { logger }: JobContext,
  failures: Error[],
): Pick<TableSummary, 'error' | 'fix'> {
  if (unreadable.length > 0) {
    const message = `hashed columns that LAKEJOBS_HASH_KEY is not the key of are not compared with the source: ${unreadable.join(', ')}`
    const fix = 'set LAKEJOBS_HASH_KEY to the key that they were exported by'
    if (options.strict) failures.push(dataError(`${table}: ${message}`, { field: 'LAKEJOBS_HASH_KEY', fix }))
    else logger.warn({ table, format }, message)
  }
  const intervals = verified?.intervals ?? []
  const wrong = intervals.filter(({ result }) => fails(result, options))
  for (const { interval, result, reason } of intervals)
    if (result === 'unverified' || result === 'changed')
      logger.warn({ table, format, interval }, `${result}: ${reason}`)
  const name = source ?? compared?.request.table
  const againOf = ({ interval, result }: VerifiedInterval): string => {
    if (known.newest?.source.table === crudLogs) return `${writeAgain(table, crudLogs)} --date ${interval}`
    if (name === undefined && known.newest === undefined)
      return result === 'unverified'
        ? `say of which table it is: lakejobs verify --table ${shellWord(`SOURCE=${table}`)}`
        : 'have the program that wrote it write these rows again'
    // A table, or a plain file, that is not by day can be exported as a whole alone.
    const isDay = /^\d{4}-\d{2}-\d{2}$/.test(interval) && defaultSpec(metadata).fields.length > 0
    return name === undefined
      ? 'export it again'
      : `export it again: ${writeAgain(table, printTable({ ...name, source: options.source }))} --format ${format} ${isDay ? `--date ${interval}` : '--mode full'} --force`
  }
  const [worst] = wrong
  if (worst === undefined) {
    const unproven = firstUnproven(intervals)
    return unproven === undefined ? {} : { fix: againOf(unproven) }
  }
  const { interval, result, rows, writtenRows, reason } = worst
  const written = writtenRows === undefined || writtenRows === rows ? '' : `, ${writtenRows} were written`
  const total = wrong.length === 1 ? '' : ` (and ${wrong.length - 1} more)`
  const again = againOf(worst)
  const where = format === 'parquet' ? `${table} (Parquet)` : table
  const error = `${interval}: ${result}: ${reason ?? ''}; ${rows} rows${written}${total}`
  failures.push(dataError(`${where}, ${error}`, { field: table, fix: again }))
  return { error, fix: again }
}

/** Of the intervals that are not proven the first; one without a row, which was never exported, where there is no other. */
export function firstUnproven(intervals: readonly VerifiedInterval[]): VerifiedInterval | undefined {
  const unproven = intervals.filter(({ result }) => result === 'unverified')
  return unproven.find(({ rows }) => rows > 0) ?? unproven[0]
}

/** What a run's tables come to. */
export function verifyOutcome(
  { days }: Pick<VerifyOptions, 'days'>,
  tables: readonly TableSummary[],
): Outcome {
  const sum = (value: (table: TableSummary) => number | undefined): number =>
    tables.reduce((total, table) => total + (value(table) ?? 0), 0)
  return {
    ...days,
    rows: sum(({ rows }) => rows),
    bytes: sum(({ bytes }) => bytes),
    files: sum(({ files }) => files),
    tables: [...tables],
  }
}
