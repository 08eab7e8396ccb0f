import { mapConcurrently } from '../concurrency.ts'
import { allTables } from '../iceberg/catalog/all-tables.ts'
import type { Catalog, TableIdentifier } from '../iceberg/catalog/catalog.ts'
import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import { otherRead } from './provenance.ts'

/** `true`: maintenance and verification without `--table` take the table for ours. */
export const managedProperty = 'lakejobs.managed'

/**
 * Whether a table is ours: by its property, which tables that we make have; where it says nothing, by the oldest snapshot
 * that is still there, as in tables made before there was the property: an export of ours made it.
 */
export function isManaged({ properties, snapshots }: TableMetadata): boolean {
  const said = properties[managedProperty]
  if (said !== undefined) return said.toLowerCase() === 'true'
  const oldest = snapshots.find(({ summary }) => summary['operation'] !== 'replace')
  return oldest !== undefined && otherRead(oldest.summary) !== undefined
}

/** Tables that are loaded at once. */
const tablesAtOnce = 8

/** Those of `tables`, else of a catalog, that are ours, and whose metadata cannot be read: nothing tells that they are not. */
export async function ownTables(
  catalog: Catalog,
  tables?: readonly TableIdentifier[],
): Promise<TableIdentifier[]> {
  const all = await mapConcurrently(tables ?? (await allTables(catalog)), tablesAtOnce, async (target) => {
    const loaded = await catalog.load(target).catch(() => undefined)
    return loaded === undefined || isManaged(loaded.metadata) ? [target] : []
  })
  return all.flat()
}
