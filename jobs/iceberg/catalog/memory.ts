import { TableAlreadyExistsError } from '../errors.ts'
import { namespaceText, tableText, type Catalog, type TableIdentifier } from './catalog.ts'
import type { CatalogEffects, CatalogStore } from './stored/catalog-store.ts'
import { storedCatalog } from './stored/stored-catalog.ts'

/** A catalog in this process's memory: for tests and dry runs. `warehouse` as in `storedCatalog`. */
export const memoryCatalog = (name: string, warehouse: string, effects: CatalogEffects): Catalog =>
  storedCatalog(memoryStore(name), warehouse, effects)

/** Pointers in memory, with the semantics of the SQL catalog's. */
export function memoryStore(name: string): CatalogStore {
  const pointers = new Map<string, { readonly identifier: TableIdentifier; readonly location: string }>()
  const properties = new Map<string, Record<string, string>>()
  const busy = new Set<string>()

  const allNamespaces = (): Set<string> =>
    new Set([
      ...properties.keys(),
      ...[...pointers.values()].map(({ identifier }) => namespaceText(identifier.namespace)),
    ])

  const store: CatalogStore = {
    name,
    sibling: () => store,
    pointer: (identifier) => Promise.resolve(pointers.get(tableText(identifier))?.location),
    isView: () => Promise.resolve(false),
    insert(identifier, location) {
      const key = tableText(identifier)
      if (pointers.has(key)) return Promise.resolve(false)
      pointers.set(key, { identifier, location })
      return Promise.resolve(true)
    },
    swap(identifier, from, to) {
      const key = tableText(identifier)
      if (pointers.get(key)?.location !== from) return Promise.resolve(false)
      pointers.set(key, { identifier, location: to })
      return Promise.resolve(true)
    },
    remove(identifier, from) {
      const key = tableText(identifier)
      if (from !== undefined && pointers.get(key)?.location !== from) return Promise.resolve(false)
      return Promise.resolve(pointers.delete(key))
    },
    async rename(from, to) {
      const entry = pointers.get(tableText(from))
      if (entry === undefined) return Promise.resolve(false)
      if (pointers.has(tableText(to))) throw new TableAlreadyExistsError(tableText(to))
      pointers.delete(tableText(from))
      pointers.set(tableText(to), { ...entry, identifier: to })
      return Promise.resolve(true)
    },
    entries: () =>
      Promise.resolve(
        [...pointers.values()].map(({ identifier, location }) => ({
          catalog: name,
          namespace: namespaceText(identifier.namespace),
          name: identifier.name,
          isView: false,
          metadataLocation: location,
        })),
      ),
    everyProperty: () =>
      Promise.resolve(
        [...properties].flatMap(([namespace, of]) =>
          Object.entries(of).map(([key, value]) => ({ catalog: name, namespace, key, value })),
        ),
      ),
    tables: (namespace) =>
      Promise.resolve(
        [...pointers.values()]
          .filter(({ identifier }) => namespaceText(identifier.namespace) === namespaceText(namespace))
          .map(({ identifier }) => identifier.name),
      ),
    namespaces: () => Promise.resolve([...allNamespaces()]),
    properties(namespace) {
      const text = namespaceText(namespace)
      const exists = [...allNamespaces()].some((other) => other === text || other.startsWith(`${text}.`))
      return Promise.resolve(exists ? { ...properties.get(text) } : undefined)
    },
    setProperties(namespace, updates) {
      const text = namespaceText(namespace)
      properties.set(text, { ...properties.get(text), ...updates })
      return Promise.resolve()
    },
    removeProperties(namespace, keys) {
      const text = namespaceText(namespace)
      const left = Object.entries(properties.get(text) ?? {}).filter(([key]) => !keys.includes(key))
      properties.set(text, Object.fromEntries(left))
      return Promise.resolve()
    },
    removeNamespace(namespace) {
      properties.delete(namespaceText(namespace))
      return Promise.resolve()
    },
    inTurn: (_identifier, work) => work(),
    async alone(identifier, work) {
      const key = tableText(identifier)
      if (busy.has(key)) return undefined
      busy.add(key)
      try {
        return { result: await work() }
      } finally {
        busy.delete(key)
      }
    },
    outcomeOf: () => 'refused',
  }
  return store
}
