import { dataError } from '../errors.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import { plainName } from '../lake/plain-places.ts'
import { ownTables } from '../provenance/managed.ts'
import type { VerifiedTable } from './options.ts'

/** What to verify of our tables. Errors: `JobError` data where there is none. */
export async function managedTables(catalog: Catalog, namespace: string): Promise<VerifiedTable[]> {
  const ours = await ownTables(catalog)
  if (ours.length === 0)
    throw dataError('the catalog has no table that an export made', {
      field: '--table',
      fix: 'export one; or name a table that another program made with --table',
    })
  return ours.map((target) => ({ target, folder: plainName(target, namespace), source: undefined }))
}
