import type { JobContext, ResultOutput } from '../context.ts'
import type { CommandSpec, OptionValues } from '../options/options.ts'
import type { Outcome } from '../summary.ts'
import { lakeTableFlags } from './flags/lake-table-flags.ts'
import { lakeTables, sourceNames } from './flags/lake-tables.ts'
import { snapshotChoice, snapshotFlags } from './flags/snapshot-flags.ts'
import { mainNamespace } from '../settings/namespace.ts'

const options = {
  table: {
    kind: 'list',
    describe: 'tables of the catalog, as namespace.table or a name alone (default: all, a line each)',
  },
  ...lakeTableFlags,
  ...snapshotFlags,
  tree: {
    kind: 'flag',
    describe:
      'show every object of the Parquet export and the Iceberg table, what it is for and which snapshot needs it',
  },
  storage: {
    kind: 'flag',
    describe:
      'split what the store lists: live, kept by old snapshots only, unreferenced; and unfinished uploads',
  },
  files: { kind: 'flag', describe: 'list the data files' },
  snapshots: { kind: 'flag', describe: 'list the snapshots, newest first' },
  partitions: { kind: 'flag', describe: 'list the partitions' },
  json: { kind: 'flag', describe: 'print JSON (docs/schemas/inspect.schema.json)' },
} as const satisfies CommandSpec['options']

export const command = {
  name: 'inspect',
  describe: 'Show what is in the lake: a table on one screen, or all tables, a line each.',
  prints: true,
  positionals: ['table'],
  options,
  examples: [
    ['lakejobs inspect', 'every table of the catalog; of a single one its screen'],
    ['lakejobs inspect web_logs', 'rows, files, snapshots, schema, readers, and what to do about it'],
    ['lakejobs inspect web_logs --tree', 'every object, what it is for and which snapshot needs it'],
    [
      'lakejobs inspect --table web_logs --storage',
      'what is live, what old snapshots keep, what nobody needs',
    ],
    ['lakejobs inspect --table web_logs --partitions --files', 'lists'],
    ['lakejobs inspect --table web_logs --as-of 2024-09-16T07:00Z', 'as it was then'],
    ['lakejobs inspect --json | jq .tables[].verdicts', 'for programs'],
  ],
  epilogue:
    'Reads metadata and manifests, no row of a data file, and changes nothing. Standard output has the result, no summary line.',
} as const satisfies CommandSpec<typeof options>

export async function run(
  values: OptionValues<typeof options>,
  context: JobContext,
  output: ResultOutput,
): Promise<Outcome> {
  const { env } = context
  const [settings, { openFileIO }, { openCatalogs }, { inspectTables }, { reportText }] = await Promise.all([
    import('../settings/settings.ts'),
    import('../storage/open.ts'),
    import('../settings/catalogs.ts'),
    import('../inspect/inspect.ts'),
    import('../inspect/text/print.ts'),
  ])
  const { files, snapshots, partitions, storage, tree, json } = values
  const views = { files, snapshots, partitions, storage, tree }
  const choice = snapshotChoice(values)
  const location = settings.placeSetting(env, 'PARQUET_LOCATION')
  const catalogs = await openCatalogs(context, { iceberg: true, dryRun: true, versionHint: false })
  try {
    const { names: tables } = await lakeTables(values, 'inspect', catalogs.catalog, context)
    const { report, failure } = await inspectTables(
      {
        ...{ tables, choice, views, sourceOf: await sourceNames(values.config, context) },
        namespace: mainNamespace(env),
      },
      {
        catalog: catalogs.catalog,
        plain: { io: await openFileIO(location, settings.s3Settings(env)), location },
      },
      context,
    )
    const screen = { width: output.columns, colours: output.colours }
    // Nothing but what could be looked at: of a single table that could not the failure says all.
    const isEmpty = failure !== undefined && report.tables.every((table) => 'error' in table)
    if (!isEmpty)
      await output.write(json ? `${JSON.stringify(report, null, 2)}\n` : reportText(report, views, screen))
    if (failure !== undefined) throw failure
    return {}
  } finally {
    await catalogs.close()
  }
}
