import { addDays, dayOf } from '../../calendar.ts'
import type { JobContext } from '../../context.ts'
import { resolveOptions } from '../../options/resolve-options.ts'
import { exportTable } from './export-options.ts'
import { selectTables, type Selection } from './select-tables.ts'

/**
 * The tables that an export with these settings would take, without a word in the log. Errors: those of `selectTables`.
 *
 * @param config what `--config` says
 * @param table in the place of the file's tables, where it is given
 */
export async function checkedTables(
  config: string | undefined,
  table: readonly string[] | undefined,
  context: JobContext,
): Promise<{ readonly selection: Selection; readonly quiet: JobContext }> {
  const given = {
    'dry-run': true,
    ...(config !== undefined && { config }),
    ...(table !== undefined && { table: [...table] }),
  }
  const quiet = { ...context, logger: context.logger.child({}, { level: 'silent' }) }
  const values = resolveOptions(exportTable, given, context.env)
  return { selection: await selectTables(values, given, quiet, addDays(dayOf(context.now()), -1)), quiet }
}
