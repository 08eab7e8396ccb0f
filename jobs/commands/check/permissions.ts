import type { Role } from '../../check/permissions/roles.ts'
import type { JobContext } from '../../context.ts'
import type { Outcome } from '../../summary.ts'
import type { Selection } from '../flags/select-tables.ts'

/**
 * The grants and actions of docs/permissions.md, none more, without any effect.
 *
 * @param table in the place of the file's tables, where it is given
 */
export async function checkPermissions(
  file: string | undefined,
  table: readonly string[] | undefined,
  role: Role,
  context: JobContext,
): Promise<Outcome> {
  const [
    settings,
    { runsPlace },
    { runChecks },
    { checkSourcePermissions },
    { checkCatalogPermissions },
    { checkStorePermissions },
    { loadConfig },
    { emptyConfig },
    { sourceAccess, usedSources },
    { checkedTables },
  ] = await Promise.all([
    import('../../settings/settings.ts'),
    import('../../settings/runs-place.ts'),
    import('../../check/check.ts'),
    import('../../check/permissions/source.ts'),
    import('../../check/permissions/catalog.ts'),
    import('../../check/permissions/store.ts'),
    import('../flags/config-file.ts'),
    import('../../config/config.ts'),
    import('../flags/sources.ts'),
    import('../flags/checked-tables.ts'),
  ])
  const { env } = context
  const config = await loadConfig(file, context)
  let selecting: Promise<Selection> | undefined
  const select = (): Promise<Selection> =>
    (selecting ??= checkedTables(file, table, context).then(({ selection }) => selection))
  const places = settings.placeSettings.filter((name) => settings.isUsed(env, name))
  return runChecks(
    [
      // Who reads or maintains the lake need not know its source.
      ...(role === 'exporter' ? usedSources(config) : []).map((source) => {
        const prefix = config?.sources.get(source)?.env ?? 'POSTGRES'
        return checkSourcePermissions(
          source === '' ? 'source role' : `source role of ${source}`,
          prefix,
          () => sourceAccess(config ?? emptyConfig, source, env, 0).settings,
          async () =>
            (await select()).tables
              .filter((one) => one.source === source)
              .map(({ pair, options }) => ({ table: pair.source, options })),
        )
      }),
      checkCatalogPermissions(() => settings.postgresSettings(env, 'ICEBERG_POSTGRES'), role),
      ...places.map((name) =>
        checkStorePermissions(
          name,
          () => settings.placeSetting(env, name),
          () => settings.s3Settings(env),
          name === 'CRUD_INPUT' && !settings.mayMakeDemoData(env) ? 'reader' : role,
        ),
      ),
      checkStorePermissions(
        'LAKEJOBS_RUNS',
        () => runsPlace(env),
        () => settings.s3Settings(env),
        role,
      ),
    ],
    context,
  )
}
