import type { Namespace } from '../iceberg/catalog/catalog.ts'
import { namespaceText } from '../iceberg/catalog/catalog.ts'
import type { CatalogEffects } from '../iceberg/catalog/stored/catalog-store.ts'
import { ensureNamespace } from '../iceberg/catalog/ensure-namespace.ts'
import { prepareCatalogTables } from '../iceberg/catalog/sql/sql-tables.ts'
import { sqlCatalog } from '../iceberg/catalog/sql/sql.ts'
import type { PostgresSettings } from '../postgres/connection/settings.ts'
import { openDatabase } from '../postgres/connection/database.ts'
import { serverError } from '../postgres/errors.ts'
import type { InitItem } from '../summary.ts'

export interface CatalogToMake {
  readonly settings: PostgresSettings
  readonly name: string
  readonly namespace: Namespace
  /** Canonical location. */
  readonly warehouse: string
}

/** Makes the SQL catalog's tables and the namespace, so that other programs find them before the first export. */
export async function makeCatalog(
  { settings, name, namespace, warehouse }: CatalogToMake,
  effects: CatalogEffects,
): Promise<InitItem[]> {
  const database = await openDatabase(settings, 'ICEBERG_POSTGRES')
  try {
    const tables = await prepareCatalogTables(database)
    const made = await ensureNamespace(sqlCatalog(name, database, warehouse, effects), namespace)
    return [
      { item: 'catalog tables', state: tables.made ? 'made' : 'was there' },
      {
        item: `namespace ${namespaceText(namespace)} of catalog ${name}`,
        state: made ? 'made' : 'was there',
      },
    ]
  } catch (error) {
    throw serverError(error, `catalog ${name}`)
  } finally {
    await database.close()
  }
}
