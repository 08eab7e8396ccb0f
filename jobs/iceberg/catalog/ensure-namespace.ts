import { NamespaceAlreadyExistsError } from '../errors.ts'
import type { Catalog, Namespace } from './catalog.ts'

/** Creates the namespace unless it exists; true when it did. */
export async function ensureNamespace(catalog: Catalog, namespace: Namespace): Promise<boolean> {
  try {
    await catalog.createNamespace(namespace)
    return true
  } catch (error) {
    if (error instanceof NamespaceAlreadyExistsError) return false
    throw error
  }
}
