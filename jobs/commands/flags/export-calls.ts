import type { JobContext } from '../../context.ts'
import { asError, decisive, JobError } from '../../errors.ts'
import type { ExportedTable, TableStores } from '../../export/options.ts'
import { tableText } from '../../iceberg/catalog/catalog.ts'
import type { Catalogs } from '../../settings/catalogs.ts'
import { openStore, s3Settings } from '../../settings/settings.ts'
import { openFileIO } from '../../storage/open.ts'
import { failedTable, outcomeOf, withOutcome, type Outcome, type TableSummary } from '../../summary.ts'
import { startEarly } from './early-start.ts'
import type { SelectedTable, Selection } from './select-tables.ts'
import { sourceAccess, type SourceAccess } from './sources.ts'

/** Tables of one source that are read at one instant. */
interface Call {
  readonly access: SourceAccess
  readonly tables: readonly SelectedTable[]
}

/**
 * Exports the selected tables: those of a source at one instant, or each at its own. What fails of one call, a source that is away
 * among it, does not stop the others; thrown is the failure that decides the exit status, with the outcome of all.
 */
export async function runCalls(selection: Selection, context: JobContext): Promise<Outcome> {
  const calls = callsOf(selection, context)
  const opened = storesByOptions(context)
  const outcomes: Outcome[] = []
  const failures: Error[] = []
  const tables: TableSummary[] = []
  for (const { shown, error } of selection.failed) {
    failures.push(error)
    tables.push(failedTable(shown, error))
    context.logger.error({ table: shown }, asError(error).message)
  }
  try {
    for (const call of calls) {
      try {
        const outcome = await runCall(call, opened.storesOf, context)
        outcomes.push(outcome)
        tables.push(...(outcome.tables ?? []))
      } catch (error) {
        if (calls.length === 1 && failures.length === 0) throw error
        const isUnknown = error instanceof JobError && error.code === 'unknownCommit'
        if (!isUnknown) context.signal.throwIfAborted()
        failures.push(asError(error))
        const { tables: done } = outcomeOf(error)
        if (done === undefined) context.logger.error(asError(error).message)
        tables.push(...(done ?? call.tables.map(({ pair }) => failedTable(tableText(pair.target), error))))
        if (context.signal.aborted) break
      }
    }
  } finally {
    await opened.close()
  }
  const [only, ...others] = outcomes
  if (only !== undefined && others.length === 0 && failures.length === 0) return only
  const { totals } = await import('../../export/export.ts')
  const outcome = totals(tables)
  if (failures.length > 0) throw withOutcome(decisive(failures), outcome)
  return outcome
}

/** Settings of all sources are looked at before anything is read. */
function callsOf({ config, tables }: Selection, { env }: JobContext): Call[] {
  const sources = [...new Set(tables.map(({ source }) => source))]
  return sources.flatMap((source) => {
    const own = tables.filter((table) => table.source === source)
    const stalls = own.map(({ values }) => values['stall-timeout'])
    const access = sourceAccess(config, source, env, stalls.includes(0) ? 0 : Math.max(...stalls))
    const together = own.filter(({ values }) => values['one-instant'])
    const apart = own.filter(({ values }) => !values['one-instant'])
    return [...(together.length === 0 ? [] : [together]), ...apart.map((table) => [table])].map((group) => ({
      access,
      tables: group,
    }))
  })
}

interface Opened {
  readonly storesOf: (table: SelectedTable) => Promise<TableStores>
  readonly close: () => Promise<unknown>
}

/** Tables whose options ask for the same stores share them. */
function storesByOptions(context: JobContext): Opened {
  const opened = new Map<string, Promise<TableStores & { readonly catalogs: Catalogs }>>()
  const open = async (table: SelectedTable): Promise<TableStores & { readonly catalogs: Catalogs }> => {
    const { values, options } = table
    const stallTimeoutMs = values['stall-timeout']
    const s3 = s3Settings(context.env, stallTimeoutMs)
    const { openCatalogs } = await import('../../settings/catalogs.ts')
    const catalogs = await openCatalogs(context, {
      iceberg: options.formats.has('iceberg'),
      dryRun: options.dryRun,
      versionHint: values['version-hint'],
      stallTimeoutMs,
    })
    try {
      const parquetIO = options.formats.has('parquet')
        ? await openStore(options.parquetLocation, s3, options.dryRun)
        : await openFileIO(options.parquetLocation, s3)
      return { catalogs, catalog: catalogs.catalog, inMemory: catalogs.inMemory, parquetIO }
    } catch (error) {
      await catalogs.close()
      throw error
    }
  }
  return {
    storesOf(table) {
      const { values, options } = table
      const key = JSON.stringify([
        [...options.formats].sort(),
        options.dryRun,
        values['version-hint'],
        values['stall-timeout'],
      ])
      const stores = opened.get(key) ?? open(table)
      opened.set(key, stores)
      return stores
    },
    close: () =>
      Promise.all(
        [...opened.values()].map((stores) =>
          stores.then(
            ({ catalogs }) => catalogs.close(),
            () => undefined,
          ),
        ),
      ),
  }
}

async function runCall(
  { access: { settings, prefix }, tables }: Call,
  storesOf: Opened['storesOf'],
  context: JobContext,
): Promise<Outcome> {
  const { signal } = context
  // The rest is loaded while the server answers.
  const [{ connectSource }, { readerThreads }] = await Promise.all([
    import('../../postgres/snapshot.ts'),
    import('../../export/read/thread.ts'),
  ])
  const names = tables.map(({ pair }) => pair.source)
  const threads = readerThreads(signal)
  const lockTimeoutMs = Math.max(...tables.map(({ options }) => options.lockTimeoutMs))
  const isDry = tables.every(({ options }) => options.dryRun)
  const early = startEarly(
    () => connectSource(settings, names, { prefix, signal, lockTimeoutMs }),
    threads,
    isDry ? 0 : Math.max(...tables.map(({ options }) => options.connections)),
  )
  try {
    const loading = import('../../export/export.ts')
    const { host, port, database } = settings
    for (const { pair } of tables) {
      const { schema, name: table } = pair.source
      context.touches?.({ role: 'input', kind: 'source', host, port, database, schema, table })
    }
    const exported: ExportedTable[] = []
    for (const table of tables) {
      const { pair, options, sections } = table
      exported.push({ pair, options, sections, stores: await storesOf(table) })
    }
    const { exportTables } = await loading
    return await exportTables(exported, { connectSource: early.connectSource, threads }, context)
  } finally {
    await early.close()
  }
}
