import type { JobContext } from '../context.ts'
import { JobError, withOutcome } from '../errors.ts'
import type { CommandSpec, OptionValues } from '../options.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { Outcome } from '../summary.ts'

export const command = {
  name: 'check',
  describe: 'Try every connection and place of the settings, and show where each setting comes from.',
  positionals: [],
  options: {
    table: {
      kind: 'list',
      env: 'LAKEJOBS_TABLE',
      default: 'public.web_logs',
      describe: 'tables or views of the source to read',
    },
  },
  examples: [
    ['lakejobs check', 'source, catalog, object store and folders, each with its latency'],
    ['lakejobs check --table public.users', 'whether the source lets this table be read'],
  ],
  epilogue: 'Exit 0 when all is well; otherwise each part that failed is listed with what to do about it.',
} as const satisfies CommandSpec

const noStore = { region: '' }

export async function run(
  { table }: OptionValues<typeof command.options>,
  context: JobContext,
): Promise<Outcome> {
  const { runChecks } = await import('../check/check.ts')
  const { checkSource } = await import('../check/source.ts')
  const { checkCatalog } = await import('../check/catalog.ts')
  const { checkPlace } = await import('../check/place.ts')
  const { effectiveSettings } = await import('./effective-settings.ts')
  const { tablePairs } = await import('../export/names.ts')
  const { openFileIO } = await import('../storage/open.ts')
  const settings = await import('./settings.ts')

  const { env, runId, signal } = context
  const shown = await effectiveSettings(context)
  shown['LAKEJOBS_TABLE'] = { value: table.join(','), from: context.originOf('LAKEJOBS_TABLE') }
  // Settings of an object store that nothing is in may be wrong.
  const open = (location: string): Promise<FileIO> =>
    openFileIO(
      location,
      location.startsWith('s3://') ? { ...settings.s3Settings(env), attempts: 1 } : noStore,
    )
  const checks = [
    checkSource(
      () => settings.postgresSettings(env, 'POSTGRES'),
      () => tablePairs(table, env['ICEBERG_NAMESPACE'] ?? 'default').map(({ source }) => source),
      signal,
    ),
    checkCatalog(
      () => settings.postgresSettings(env, 'ICEBERG_POSTGRES'),
      env['ICEBERG_CATALOG_NAME'] ?? 'local',
    ),
    ...settings.placeSettings.map((name) =>
      checkPlace(
        {
          name,
          location: () => settings.placeSetting(env, name),
          isWritten: name !== 'CRUD_INPUT' || settings.mayMakeDemoData(env),
        },
        `.lakejobs-check-${runId}`,
        open,
      ),
    ),
  ]
  try {
    return { ...(await runChecks(checks, context)), settings: shown }
  } catch (error) {
    throw error instanceof JobError ? withOutcome(error, { ...error.outcome, settings: shown }) : error
  }
}
