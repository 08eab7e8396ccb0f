import type { Catalog, TableIdentifier } from './catalog.ts'

/** Every table of a catalog, by namespace and name. Nothing is made: a catalog without tables of its own has none. */
export async function allTables(catalog: Catalog): Promise<TableIdentifier[]> {
  const tables: TableIdentifier[] = []
  for (const namespace of await catalog.listNamespaces())
    tables.push(...(await catalog.listTables(namespace)))
  return tables
}
