import type { Config } from '../config/config.ts'
import type { ConfigReport, ReportedTable } from '../config/report.ts'
import type { TableKey } from '../config/table-key.ts'
import type { JobContext, ResultOutput } from '../context.ts'
import { configOption, type CommandSpec, type OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'
import { loadConfig } from './flags/config-file.ts'
import { exportTable, fileOptions } from './flags/export-options.ts'
import { writtenNamespace } from '../settings/namespace.ts'

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
    namespace: writtenNamespace(env),
    catalog: env['ICEBERG_CATALOG_NAME'] ?? 'local',
  }
  const [{ configReport }, { parseTableKey }, { splitPair }, { resolveOptions }] = await Promise.all([
    import('../config/report.ts'),
    import('../config/table-key.ts'),
    import('../export/target/names.ts'),
    import('../options/resolve-options.ts'),
  ])
  if (group !== undefined) {
    const { config, tables } = await tablesOf(group, file, context)
    return configReport(config, common, { group, tables })
  }
  const config = await loadConfig(file, context)
  const tables =
    config?.tables ??
    resolveOptions({ table: exportTable.table }, {}, env).table.map((text) => {
      const [name, target] = splitPair(text)
      return { key: parseTableKey(name, 'LAKEJOBS_TABLE'), target }
    })
  return configReport(config, common, { group, tables })
}

/** The tables that an export of the group would take, by their names; patterns of a source that is away stay patterns. */
async function tablesOf(
  group: string,
  file: string | undefined,
  context: JobContext,
): Promise<{ readonly config: Config | undefined; readonly tables: readonly ReportedTable[] }> {
  const [{ selectTables }, { resolveOptions }, { parseTableKey }, { tableText }, { addDays, dayOf }] =
    await Promise.all([
      import('./flags/select-tables.ts'),
      import('../options/resolve-options.ts'),
      import('../config/table-key.ts'),
      import('../iceberg/catalog/catalog.ts'),
      import('../calendar.ts'),
    ])
  const given = { group, ...(file !== undefined && { config: file }) }
  const values = resolveOptions(exportTable, given, context.env)
  const yesterday = addDays(dayOf(context.now()), -1)
  const { config, tables, failed } = await selectTables(values, given, context, yesterday, true)
  for (const { shown, error } of failed)
    context.logger.warn({ table: shown }, `not known yet which tables these are: ${error.message}`)
  const keyOf = (shown: string): TableKey => parseTableKey(shown, '--group')
  return {
    config: config.file === '' ? undefined : config,
    tables: [
      ...tables.map(({ shown, pair }) => ({ key: keyOf(shown), target: tableText(pair.target) })),
      ...failed.map(({ shown }) => ({ key: keyOf(shown) })),
    ],
  }
}
