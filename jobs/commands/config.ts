import type { Config } from '../config/config.ts'
import type { ConfigReport } from '../config/report.ts'
import type { TableKey } from '../config/table-key.ts'
import type { JobContext, ResultOutput } from '../context.ts'
import { configOption, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'
import { loadConfig } from './flags/config-file.ts'
import { exportTable, fileOptions } from './flags/export-options.ts'

const options = {
  config: configOption,
  group: {
    kind: 'text',
    describe:
      'this group alone: the tables that an export of it takes; sources are asked for those of patterns',
  },
  json: { kind: 'flag', describe: 'print JSON, for programs' },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'config',
  describe: 'Show which tables are exported and with which options, and who said so.',
  prints: true,
  positionals: [],
  options,
  examples: [
    ['lakejobs config', 'what lakejobs.yaml, environment and .env come to'],
    ['lakejobs config --group daily --json', 'the tables of a group, each with its options'],
  ],
  epilogue:
    'Asks no server, but with --group the sources of patterns. The form of the file: docs/tables.md, and for editors docs/lakejobs.schema.json.',
} as const satisfies CommandSpec<typeof options>

export async function run(
  values: OptionValues<typeof options>,
  context: JobContext,
  output: ResultOutput,
): Promise<Outcome> {
  const report = await reportOf(values, context)
  const { reportText } = await import('../config/report-text.ts')
  await output.write(values.json ? `${JSON.stringify(report)}\n` : reportText(report))
  return {}
}

async function reportOf(
  { config: file, group }: OptionValues<typeof options>,
  context: JobContext,
): Promise<ConfigReport> {
  const { env, originOf } = context
  const common = {
    options: fileOptions,
    env,
    originOf,
    namespace: env['ICEBERG_NAMESPACE'] ?? 'default',
    catalog: env['ICEBERG_CATALOG_NAME'] ?? 'local',
  }
  const [{ configReport }, { parseTableKey }] = await Promise.all([
    import('../config/report.ts'),
    import('../config/table-key.ts'),
  ])
  if (group !== undefined) {
    const { config, keys } = await tablesOf(group, file, context)
    return configReport(config, common, { group, keys })
  }
  const config = await loadConfig(file, context)
  const named = (env['LAKEJOBS_TABLE'] ?? exportTable.table.default).split(',')
  const keys =
    config?.tables.map(({ key }) => key) ??
    named.map((text) => parseTableKey(text.split('=')[0]!.trim(), 'LAKEJOBS_TABLE'))
  return configReport(config, common, { group, keys })
}

/** The tables that an export of the group would take, by their names; patterns of a source that is away stay patterns. */
async function tablesOf(
  group: string,
  file: string | undefined,
  context: JobContext,
): Promise<{ readonly config: Config | undefined; readonly keys: readonly TableKey[] }> {
  const [{ selectTables }, { resolveOptions }, { parseTableKey }, { addDays, dayOf }] = await Promise.all([
    import('./flags/select-tables.ts'),
    import('../options/resolve-options.ts'),
    import('../config/table-key.ts'),
    import('../calendar.ts'),
  ])
  const given = { group, ...(file !== undefined && { config: file }) }
  const values = resolveOptions(exportTable, given, context.env)
  const yesterday = addDays(dayOf(context.now()), -1)
  const { config, tables, failed } = await selectTables(values, given, context, yesterday, true)
  for (const { shown, error } of failed)
    context.logger.warn({ table: shown }, `not known yet which tables these are: ${error.message}`)
  const names = [...tables, ...failed].map(({ shown }) => shown)
  return {
    config: config.file === '' ? undefined : config,
    keys: names.map((name) => parseTableKey(name, '--group')),
  }
}
