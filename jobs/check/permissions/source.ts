import { usageError } from '../../errors.ts'
import { openDatabase } from '../../postgres/connection/database.ts'
import type { PostgresSettings } from '../../postgres/connection/settings.ts'
import { formatTable, quoteIdentifier, quoteTable, type TableName } from '../../postgres/identifiers.ts'
import { fitsColumn, type ColumnOptions } from '../../postgres/source/columns.ts'
import { ownOptions } from '../../postgres/source/own-options.ts'
import type { Check } from '../check.ts'
import { attemptAll } from './attempts.ts'
import {
  missingGrant,
  missingPrivileges,
  missingUsage,
  readGrants,
  type Grants,
  type Missing,
} from './grants.ts'

/** A table that is to be read, and which of its columns, as flags and lakejobs.yaml say it. */
export interface ReadTable {
  readonly table: TableName
  readonly options: Pick<ColumnOptions, 'columns' | 'excluded'> & { readonly rowSecurity: boolean }
}

/** The source's role: CONNECT, USAGE of the schemas, SELECT of tables or columns, BYPASSRLS where a table filters its rows. */
export const checkSourcePermissions =
  (
    name: string,
    prefix: string,
    settings: () => PostgresSettings,
    wanted: () => Promise<readonly ReadTable[]>,
  ): Check =>
  (attempt) =>
    attemptAll(name, attempt, async () => {
      const tables = await wanted()
      const database = await openDatabase(settings(), prefix)
      const field = `${prefix}_USER`
      try {
        const names = tables.map(({ table }) => table)
        const grants = await readGrants(
          database,
          '(n.nspname, c.relname) IN (SELECT * FROM unnest($1::text[], $2::text[]))',
          [names.map(({ schema }) => schema), names.map(({ name }) => name)],
        )
        return {
          missing: [
            ...missingUsage(grants, field),
            ...tables.flatMap((one) => missingOf(one, grants, field)),
          ],
          granted: `${grants.role} may read ${names.map(formatTable).join(', ')}`,
        }
      } finally {
        await database.close()
      }
    })

function missingOf({ table, options }: ReadTable, grants: Grants, field: string): readonly Missing[] {
  const { role } = grants
  const found = grants.tables.find(
    (one) => one.table.schema === table.schema && one.table.name === table.name,
  )
  if (found === undefined) {
    const error = usageError(`the source has no table ${formatTable(table)}`, {
      field: 'LAKEJOBS_TABLE',
      fix: 'correct --table or LAKEJOBS_TABLE',
    })
    return [{ what: formatTable(table), error }]
  }
  const { columns, excluded, rowSecurity } = options
  const chosen = columns && ownOptions({ columns }, { table, names: found.columns }).columns
  const read = (chosen ?? found.columns).filter((name) => !fitsColumn(formatTable(table), name, excluded))
  const hidden = read.filter((name) => found.hiddenColumns.includes(name))
  const select =
    hidden.length === 0
      ? []
      : hidden.length === found.columns.length
        ? missingPrivileges(found, ['SELECT'], role, field)
        : [
            missingGrant(
              `SELECT on ${hidden.join(', ')} of ${formatTable(table)}`,
              `GRANT SELECT (${hidden.map(quoteIdentifier).join(', ')}) ON ${quoteTable(table)} TO ${quoteIdentifier(role)}`,
              role,
              field,
            ),
          ]
  return found.isFiltered && !rowSecurity
    ? [
        ...select,
        missingGrant(
          `BYPASSRLS for the row-level security of ${formatTable(table)}`,
          `ALTER ROLE ${quoteIdentifier(role)} BYPASSRLS`,
          role,
          field,
        ),
      ]
    : select
}
