import { dataError, usageError, type JobError } from '../../errors.ts'
import { tableText, type Table } from '../../iceberg/catalog/catalog.ts'
import { formatTable } from '../../postgres/identifiers.ts'
import type { ExportedTable, ExportOptions } from '../options.ts'
import type { TablePair } from './names.ts'

/** Whether `--new-tables warn` leaves the table out: a pattern matches it and the lake has it not. */
export const isLeftOut = ({ newTables }: ExportOptions, existing: Table | Error | undefined): boolean =>
  newTables === 'warn' && existing === undefined

/** What is said of a table that is not in the lake yet. */
export const newTableText = ({ source, target }: TablePair, what: string): string =>
  `${formatTable(source)} is new and ${what}: name it in lakejobs.yaml, or export it once with --table '${formatTable(source)}=${tableText(target)}'`

/** What `--new-tables` and `--new-columns` refuse of a table. What is new they see by the catalog: plain Parquet alone has none. */
export function policyFaults(
  { pair, options }: ExportedTable,
  existing: Table | Error | undefined,
): JobError[] {
  const { newTables = 'export', newColumns = 'add', formats } = options
  const asked = [
    ...(newTables === 'export' ? [] : [`--new-tables ${newTables}`]),
    ...(newColumns === 'add' ? [] : [`--new-columns ${newColumns}`]),
  ]
  const [flag] = asked
  if (flag !== undefined && !formats.has('iceberg'))
    return [
      usageError(`${formatTable(pair.source)}: ${flag} goes by the Iceberg table, and --format has none`, {
        field: flag.split(' ')[0]!,
        fix: 'add iceberg to --format, or name what is exported with --columns and --table and leave the flag out',
      }),
    ]
  if (newTables !== 'fail' || existing !== undefined) return []
  return [dataError(newTableText(pair, 'is refused by --new-tables fail'), { field: '--new-tables' })]
}
