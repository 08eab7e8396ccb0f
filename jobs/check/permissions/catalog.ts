import { openDatabase } from '../../postgres/connection/database.ts'
import type { PostgresSettings } from '../../postgres/connection/settings.ts'
import { usageError } from '../../errors.ts'
import type { Check } from '../check.ts'
import { attemptAll } from './attempts.ts'
import { missingPrivileges, missingUsage, readGrants } from './grants.ts'
import { privilegesOf, type Role } from './roles.ts'

const field = 'ICEBERG_POSTGRES_USER'
const catalogTables = ['iceberg_tables', 'iceberg_namespace_properties']

/** The catalog's role: CONNECT, USAGE of the schema of its two tables, and these privileges on both. */
export const checkCatalogPermissions =
  (settings: () => PostgresSettings, role: Role): Check =>
  (attempt) =>
    attemptAll('catalog role', attempt, async () => {
      const database = await openDatabase(settings(), 'ICEBERG_POSTGRES')
      try {
        // In the search path as it is meant: a schema that the role may not use is not in current_schemas().
        const grants = await readGrants(
          database,
          `c.relname = ANY($1) AND c.relkind IN ('r', 'p') AND n.nspname = ANY(
             SELECT replace(trim(name), '"$user"', current_user) FROM unnest(string_to_array(current_setting('search_path'), ',')) name)`,
          [catalogTables],
        )
        if (grants.tables.length === 0) {
          throw usageError('the catalog has no tables yet', {
            field: 'ICEBERG_POSTGRES_DB',
            fix: 'run `lakejobs init` as a role that may make them (docs/permissions.md), or correct ICEBERG_POSTGRES_DB',
          })
        }
        const privileges = privilegesOf[role]
        return {
          missing: [
            ...missingUsage(grants, field),
            ...grants.tables.flatMap((table) => missingPrivileges(table, privileges, grants.role, field)),
          ],
          granted: `${grants.role} has ${privileges.join(', ')} on ${catalogTables.join(', ')}`,
        }
      } finally {
        await database.close()
      }
    })
