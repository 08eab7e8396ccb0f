import type { JobContext } from '../context.ts'
import { addDays, dayOf } from '../calendar.ts'
import type { Check } from '../check/check.ts'
import { roles } from '../check/permissions/roles.ts'
import type { WantedTables } from '../check/source.ts'
import { asError, JobError, listed, usageError } from '../errors.ts'
import type { TablePair } from '../export/target/names.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { configOption, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { Catalogs } from '../settings/catalogs.ts'
import type { SelectedTable, Selection } from './flags/select-tables.ts'
import { outcomeOf, withOutcome, type EffectiveSetting, type Outcome } from '../summary.ts'
import { mainNamespace } from '../settings/namespace.ts'

export const command = {
  name: 'check',
  describe: 'Try every connection and place of the settings, and show where each setting comes from.',
  positionals: [],
  options: {
    table: {
      kind: 'list',
      env: 'LAKEJOBS_TABLE',
      default: 'public.web_logs',
      describe: 'tables or views of the source, planned as an export with these settings would',
    },
    fresh: {
      kind: 'age',
      describe:
        'look at the lake alone: exit 3 where a day that ended that long ago is not there, such as 26h, or a table that is exported as a whole is older (default: all tables that lakejobs made)',
    },
    permissions: {
      kind: 'flag',
      describe: 'try what roles and access key may do, and that alone (docs/permissions.md)',
    },
    as: {
      kind: 'choice',
      choices: roles,
      default: 'exporter',
      describe: 'whose permissions; each has those of the one before, too',
    },
    alert: {
      kind: 'flag',
      describe: 'send a test to ALERT_WEBHOOK_URL, in the form of ALERT_WEBHOOK_FORMAT, and that alone',
    },
    config: configOption,
  },
  examples: [
    ['lakejobs check', 'source, catalog, object store and folders, each with its latency'],
    ['lakejobs check --fresh 26h', 'which days of which tables are missing in the lake'],
    ['lakejobs check --table public.users', 'whether the source lets this table be read'],
    ['lakejobs check --permissions', 'each missing grant and action, with the statement that mends it'],
    ['lakejobs check --permissions --as maintainer', 'what lakejobs maintain needs'],
    ['lakejobs check --alert', 'whether alerts arrive'],
  ],
  epilogue:
    'Exit 0 when all is well; otherwise each part that failed is listed with what to do about it. Warnings say what the lake needs, each with what mends it, and change no exit.',
} as const satisfies CommandSpec

const noStore = { region: '' }

export async function run(
  { table, fresh, permissions, as, alert, config: file }: OptionValues<typeof command.options>,
  context: JobContext,
  _output: unknown,
  given: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const asked = [
    ...(permissions ? ['--permissions'] : []),
    ...(alert ? ['--alert'] : []),
    ...(fresh === undefined ? [] : ['--fresh']),
  ]
  if (asked.length > 1) {
    throw usageError(`${asked.join(' and ')} are ${asked.length === 2 ? 'two' : 'three'} checks`, {
      field: asked.at(-1)!,
      fix: 'call one after the other',
    })
  }
  if (alert) {
    const { checkAlert } = await import('./check/alert.ts')
    return checkAlert(context)
  }
  if (permissions) {
    const { checkPermissions } = await import('./check/permissions.ts')
    return checkPermissions(file, given['table'] === undefined ? undefined : table, as, context)
  }
  if (fresh !== undefined) return checkFresh(file, table, fresh, context)
  const { runChecks } = await import('../check/check.ts')
  const { checkSource } = await import('../check/source.ts')
  const { checkCatalog } = await import('../check/catalog.ts')
  const { checkPlace } = await import('../check/place.ts')
  const { checkBucket } = await import('../check/upkeep/bucket.ts')
  const { effectiveSettings } = await import('../settings/effective-settings.ts')
  const { openFileIO } = await import('../storage/open.ts')
  const settings = await import('../settings/settings.ts')
  const { loadConfig } = await import('./flags/config-file.ts')
  const { emptyConfig } = await import('../config/config.ts')
  const { sourceAccess, usedSources } = await import('./flags/sources.ts')

  const { env, runId, signal, now } = context
  const shown = await effectiveSettings(context)
  shown['LAKEJOBS_TABLE'] = { value: table.join(','), from: context.originOf('LAKEJOBS_TABLE') }
  // Settings of an object store that nothing is in may be wrong.
  const open = (location: string): Promise<FileIO> =>
    openFileIO(
      location,
      location.startsWith('s3://') ? { ...settings.s3Settings(env), attempts: 1 } : noStore,
    )
  const config = await loadConfig(file, context)
  let selecting: Promise<Selected> | undefined
  const select = (): Promise<Selected> =>
    (selecting ??= selectAll(file, given['table'] === undefined ? undefined : table, context))
  const openParquet = (): Promise<FileIO> => open(settings.placeSetting(env, 'PARQUET_LOCATION'))
  const sources = usedSources(config)
  const used = settings.placeSettings.filter((name) => settings.isUsed(env, name))
  const checks = [
    ...sources.map((source) =>
      checkSource(
        {
          name: source === '' ? 'source' : `source ${source}`,
          prefix: config?.sources.get(source)?.env ?? 'POSTGRES',
          settings: () => sourceAccess(config ?? emptyConfig, source, env, 0).settings,
        },
        async () => {
          const { selection, catalogs, quiet } = await select()
          const unmatched = source === sources[0] ? selection.unmatched : []
          if (unmatched.length > 0)
            throw usageError(`${config?.file ?? ''}: no table or view matches ${listed(unmatched)}`, {
              field: 'tables',
              fix: 'correct the pattern, take it out, or grant the role USAGE on the schema',
            })
          const tables = selection.tables.filter((one) => one.source === source)
          return wantedTables(tables, catalogs, quiet, openParquet)
        },
        signal,
      ),
    ),
    checkCatalog(
      () => settings.postgresSettings(env, 'ICEBERG_POSTGRES'),
      env['ICEBERG_CATALOG_NAME'] ?? 'local',
      { warehouse: () => settings.placeSetting(env, 'WAREHOUSE'), open, nowMs: now().getTime() },
    ),
    ...used.map((name) =>
      checkPlace(
        {
          name,
          location: () => settings.placeSetting(env, name),
          isWritten: name !== 'CRUD_INPUT' || settings.mayMakeDemoData(env),
          ...(name === 'WAREHOUSE' && {
            further: checkBucket(
              name,
              () => settings.placeSetting(env, name),
              () => settings.s3Settings(env),
              now,
            ),
          }),
        },
        `.lakejobs-check-${runId}`,
        open,
      ),
    ),
  ]
  const withTables = async (): Promise<Record<string, EffectiveSetting>> => {
    const selected = config && (await selecting?.catch(() => undefined))
    return { ...shown, ...Object.fromEntries((selected?.selection.tables ?? []).flatMap(saidOf)) }
  }
  try {
    return { ...(await runChecks(checks, context)), settings: await withTables() }
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    throw withOutcome(error, { ...outcomeOf(error), settings: await withTables() })
  } finally {
    const selected = await selecting?.catch(() => undefined)
    await selected?.catalogs?.close()
  }
}

/** The options that somebody has said of a file's table, `shop.orders lookback`, and who. */
const saidOf = ({ shown, values, origins }: SelectedTable): [string, EffectiveSetting][] =>
  Object.entries(origins).flatMap(([name, { layer }]): [string, EffectiveSetting][] =>
    layer === 'default' || name === 'dry-run'
      ? []
      : [[`${shown} ${name}`, { value: textOf(values[name as keyof typeof values]), from: layer }]],
  )

const textOf = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value))

/** How fresh tables of the lake are; the source need not be there. */
async function checkFresh(
  file: string | undefined,
  names: readonly string[],
  ageMs: number,
  context: JobContext,
): Promise<Outcome> {
  const [{ openCatalogs }, { findTables }, { managedTables }, { runsOf }, fresh, { sourceNames }] =
    await Promise.all([
      import('../settings/catalogs.ts'),
      import('../lake/find-tables.ts'),
      import('../verify/managed-tables.ts'),
      import('./runs/read.ts'),
      import('../check/freshness.ts'),
      import('./flags/lake-tables.ts'),
    ])
  const { runChecks } = await import('../check/check.ts')
  const sourceOf = await sourceNames(file, context)
  const { env, now, logger, originOf } = context
  const namespace = mainNamespace(env)
  const nowMs = now().getTime()
  const catalogs = await openCatalogs(context, { iceberg: true, dryRun: true, versionHint: false })
  try {
    const { catalog } = catalogs
    const isGiven = originOf('LAKEJOBS_TABLE') === 'flag'
    const tables = isGiven
      ? await findTables(catalog, names, namespace)
      : (await managedTables(catalog, namespace)).map(({ target }) => target)
    const { runs } = await runsOf(env, {
      job: 'export',
      since: addDays(dayOf(new Date(nowMs - ageMs)), -90),
    }).catch((error: unknown) => {
      logger.warn(`runs that found nothing to export are not known: ${asError(error).message}`)
      return { runs: [] }
    })
    const missing = new Set<string>()
    const checks = tables.map((identifier): Check => async (attempt) => {
      await attempt(`fresh ${tableText(identifier)}`, async () => {
        const table = await catalog.load(identifier)
        const found = await fresh.freshnessOf(table, runs, ageMs, nowMs)
        for (const day of found.missing) missing.add(day)
        return fresh.freshnessText(table, { ...found, source: sourceOf(identifier) ?? found.source }, nowMs)
      })
    })
    const missingDays = (): Outcome => (missing.size === 0 ? {} : { missingDays: [...missing].sort() })
    try {
      return await runChecks(checks, context)
    } catch (error) {
      throw error instanceof JobError ? withOutcome(error, { ...outcomeOf(error), ...missingDays() }) : error
    }
  } finally {
    await catalogs.close()
  }
}

interface Selected {
  readonly selection: Selection
  readonly catalogs: Catalogs | undefined
  readonly quiet: JobContext
}

/** The tables that an export with these settings would take, and the catalogs to plan them. */
async function selectAll(
  config: string | undefined,
  tables: readonly string[] | undefined,
  context: JobContext,
): Promise<Selected> {
  const { checkedTables } = await import('./flags/checked-tables.ts')
  const { openCatalogs } = await import('../settings/catalogs.ts')
  const { selection, quiet } = await checkedTables(config, tables, context)
  const iceberg = selection.tables.some(({ options }) => options.formats.has('iceberg'))
  const catalogs = await openCatalogs(quiet, { iceberg, dryRun: true, versionHint: false }).catch(
    () => undefined,
  )
  return { selection, catalogs, quiet }
}

/**
 * What an export with these settings would ask of a source's tables and refuse (export-spec §6.7). Of a catalog that cannot be
 * reached, or a table that it cannot open, other checks tell: then the source alone is looked at.
 */
async function wantedTables(
  tables: readonly SelectedTable[],
  catalogs: Catalogs | undefined,
  context: JobContext,
  openParquet: () => Promise<FileIO>,
): Promise<WantedTables> {
  const { tableRequest } = await import('../export/export.ts')
  const { isFault, standingInTheWay } = await import('../export/standing.ts')
  const { loadTable } = await import('../export/target/table-target.ts')
  const { ensureNamespace } = await import('../iceberg/catalog/ensure-namespace.ts')
  const existing = new Map<TablePair, Table | Error | undefined>()
  for (const { pair } of tables)
    existing.set(pair, catalogs && (await loadTable(catalogs.catalog, pair.target).catch(asError)))
  return {
    requests: tables.map((table) => tableRequest(table, existing.get(table.pair))),
    rowSecurity: tables.some(({ options }) => options.rowSecurity),
    async standing(source) {
      if (catalogs === undefined) return []
      const parquetIO = await openParquet()
      const faults: (Error | undefined)[] = []
      for (const [index, { pair, options }] of tables.entries()) {
        const run = { ...source, options, context, catalog: catalogs.inMemory, parquetIO }
        const found = existing.get(pair)
        await ensureNamespace(catalogs.inMemory, pair.target.namespace)
        const planned = source.tables[index]!
        const fault =
          found instanceof Error
            ? undefined
            : await standingInTheWay(run, { pair, planned, existing: found }).catch(asError)
        faults.push(isFault(fault) ? fault : undefined)
      }
      return faults
    },
  }
}
