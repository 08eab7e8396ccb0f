import type { JobContext } from '../context.ts'
import { usageError } from '../errors.ts'
import type { CommandSpec } from '../options/options.ts'
import type { Outcome } from '../summary.ts'
import { exportTable, type ExportValues } from './flags/export-options.ts'

export { lakeRunsPlace as runsPlace } from './runs/place.ts'

export const command = {
  name: 'export',
  describe: 'Export PostgreSQL tables to Parquet and an Apache Iceberg table, all of one instant.',
  positionals: [],
  options: exportTable,
  examples: [
    ['lakejobs export', 'public.web_logs as a whole, Parquet and Iceberg'],
    ['lakejobs export --date 2024-09-16', 'replace one day'],
    ['lakejobs export --from 2024-09-01 --to 2024-09-16', 'backfill'],
    ['lakejobs export --table public.users,shop.orders --format iceberg', 'two tables under one snapshot'],
    ["lakejobs export --table 'shop.*' --exclude 'shop.tmp_*'", 'every table and view of a schema but some'],
    ['lakejobs export --group hourly', 'what lakejobs.yaml says of a group'],
    ["lakejobs export --mode full --partition-by 'day(timestamp)'", 'the whole table, partitioned by day'],
    ['lakejobs export --skip-unchanged', 'the same, and nothing where its rows are there already'],
    ['lakejobs export --dry-run', 'columns, types, rows and what would be replaced'],
  ],
  epilogue: 'All days are UTC days. A run may be repeated at any time: it replaces what it wrote.',
} as const satisfies CommandSpec<typeof exportTable>

export async function run(
  values: ExportValues,
  context: JobContext,
  _output: unknown,
  given: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  if (given['lookback'] !== undefined && values.lookback > 0 && values.date === undefined)
    throw usageError('--lookback without --date: there is no day before which it would look', {
      field: '--lookback',
      fix: 'give --date; a backfill has its first day in --from',
    })
  const [{ selectTables }, { runCalls }] = await Promise.all([
    import('./flags/select-tables.ts'),
    import('./flags/export-calls.ts'),
  ])
  return runCalls(await selectTables(values, given, context), context)
}
