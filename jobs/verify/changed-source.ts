import { dataError, JobError, listed, shellWord } from '../errors.ts'
import { asColumnType, printType, type ColumnType } from '../iceberg/schema/types.ts'
import { formatTable } from '../postgres/identifiers.ts'
import type { PlannedTable } from '../postgres/snapshot.ts'
import { widened } from '../postgres/source/mapping.ts'
import type { SourceType } from '../postgres/source/types.ts'
import type { Compared } from './source-rows.ts'

const writtenAlone = 'or compare with what was written alone: --against written'

/** Why a table of the source cannot be compared with what an export of it wrote; undefined: it can. */
export const incomparable = (planned: PlannedTable, compared: Compared): Error | undefined =>
  'plan' in planned
    ? retypedColumns(planned, compared)
    : (goneColumns(planned, compared) ?? withWayOut(planned))

/** The columns of the last export are asked for, which may be renamed or dropped by now; no flag of verify's names them. */
function goneColumns(
  { table, known }: Extract<PlannedTable, { readonly error: Error }>,
  { columns }: Compared,
): JobError | undefined {
  if (known === undefined) return undefined
  const there = [...known.columns.map(({ name }) => name), ...known.faulty]
  const gone = columns.map(({ name }) => name).filter((name) => !there.includes(name))
  if (gone.length === 0) return undefined
  const name = formatTable(table)
  return dataError(`${name} has no column ${listed(gone)} any more, which the last export wrote`, {
    field: name,
    fix: `export the table again, with --rename ${shellWord(`${gone[0]}=NEW`)} where a column was renamed, ${writtenAlone}`,
  })
}

/** Values of another type would be taken for those of the lake's, which they may even look like. */
function retypedColumns(
  { table, plan }: Extract<PlannedTable, { readonly plan: unknown }>,
  { columns }: Compared,
): JobError | undefined {
  const retyped = columns.flatMap(({ name, type }) => {
    const [lake, source] = [asColumnType(type), plan.columns.find((column) => column.name === name)?.type]
    return lake === undefined || source === undefined || areAlike(lake, source)
      ? []
      : [`${name} is ${printType(lake)} in the lake and ${printType(source)} in the source`]
  })
  if (retyped.length === 0) return undefined
  const name = formatTable(table)
  return dataError(`${name} cannot be compared: ${listed(retyped, '; ')}`, {
    field: name,
    fix: `export the table again, which names the flags that read or make the column otherwise, ${writtenAlone}`,
  })
}

/** Types whose equal values have equal hashes: a widened one's have. */
function areAlike(lake: ColumnType, source: SourceType): boolean {
  if (lake.kind === 'fixed') return source.kind === 'binary'
  if (lake.kind === 'list' && lake.element.kind === 'fixed')
    return source.kind === 'list' && source.element.kind === 'binary'
  const own = lake as SourceType
  return (
    printType(own) === printType(source) ||
    widened(own, source) !== undefined ||
    widened(source, own) !== undefined
  )
}

/** Flags for columns are the export's. */
function withWayOut({ error, known }: Extract<PlannedTable, { readonly error: Error }>): Error {
  if (!(error instanceof JobError) || error.fix === undefined) return error
  const { code, message, field, fix } = error
  const own = known === undefined || known.faulty.length === 0 ? fix : `export the table again (${fix})`
  return new JobError(code, message, {
    ...(field !== undefined && { field }),
    fix: `${own}, ${writtenAlone}`,
    cause: error,
  })
}
