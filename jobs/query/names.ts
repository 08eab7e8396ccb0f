import { dataError, listed, nearest, usageError } from '../errors.ts'
import { tableText, type Catalog, type Table, type TableIdentifier } from '../iceberg/catalog/catalog.ts'
import { NoSuchTableError } from '../iceberg/errors.ts'
import { allTables } from '../iceberg/catalog/all-tables.ts'
import type { NamedTable } from './statement/judge.ts'

/** A table that a statement reads, once, wherever the statement names it. */
export interface Resolved<Extra> {
  /** As the statement names it. */
  readonly parts: readonly string[]
  /** Where it stands in the statement's tree. */
  readonly uses: readonly NamedTable[]
  readonly found:
    { readonly kind: 'table'; readonly table: Table } | { readonly kind: 'extra'; readonly extra: Extra }
}

/** Nested namespaces have two parts at most: the engine's names have three. */
const identifierOf = (parts: readonly string[]): TableIdentifier => ({
  namespace: parts.slice(0, -1).flatMap((part) => part.split('.')),
  name: parts.at(-1)!,
})

/**
 * Finds what a statement names: `namespace.table`, or `table` alone where one namespace has it, or one of `extras`. Names
 * are compared exactly, else without regard to case. Errors: `JobError` usage for a name of several tables, and for two tables
 * whose names differ by case alone; data for one that is not there, with the nearest names; those of the catalog.
 */
export async function resolveTables<Extra>(
  named: readonly NamedTable[],
  catalog: () => Promise<Catalog>,
  extras: ReadonlyMap<string, Extra>,
): Promise<readonly Resolved<Extra>[]> {
  const byName = new Map<string, NamedTable[]>()
  for (const one of named) {
    const key = JSON.stringify(one.parts.map((part) => part.toLowerCase()))
    byName.set(key, [...(byName.get(key) ?? []), one])
  }
  let listing: Promise<TableIdentifier[]> | undefined
  const all = (): Promise<TableIdentifier[]> => (listing ??= catalog().then(allTables))
  const resolved: Resolved<Extra>[] = []
  for (const uses of byName.values()) {
    const { parts } = uses[0]!
    const extra = parts.length === 1 ? extras.get(parts[0]!.toLowerCase()) : undefined
    if (extra !== undefined) resolved.push({ parts, uses, found: { kind: 'extra', extra } })
    else {
      const spellings = new Map(uses.map((use) => [JSON.stringify(use.parts), use.parts]))
      const tables: Table[] = []
      for (const one of spellings.values()) tables.push(await find(one, catalog, all, [...extras.keys()]))
      resolved.push({ parts, uses, found: { kind: 'table', table: onlyOne(tables) } })
    }
  }
  return resolved
}

/** The engine has one view for what differs by case alone. */
function onlyOne([table, ...more]: readonly Table[]): Table {
  const name = tableText(table!.identifier)
  const other = more.map(({ identifier }) => tableText(identifier)).find((one) => one !== name)
  if (other === undefined) return table!
  throw usageError(`${name} and ${other} differ by case alone: one statement can read one of them`, {
    field: 'sql',
    fix: 'ask for each in a statement of its own',
  })
}

async function find(
  parts: readonly string[],
  catalog: () => Promise<Catalog>,
  all: () => Promise<readonly TableIdentifier[]>,
  extras: readonly string[],
): Promise<Table> {
  const opened = await catalog()
  if (parts.length > 1) {
    const exact = await opened.load(identifierOf(parts)).catch((error: unknown) => {
      if (error instanceof NoSuchTableError) return undefined
      throw error
    })
    if (exact !== undefined) return exact
  }
  const wanted = parts.join('.')
  const tables = await all()
  const shown = tables.map((one) => ({ one, text: parts.length > 1 ? tableText(one) : one.name }))
  const exact = shown.filter(({ text }) => text === wanted)
  const alike =
    exact.length > 0 ? exact : shown.filter(({ text }) => text.toLowerCase() === wanted.toLowerCase())
  if (alike.length === 1) return opened.load(alike[0]!.one)
  if (alike.length > 1)
    throw usageError(`table ${wanted} is in several namespaces`, {
      field: wanted,
      fix: `name one of ${alike.map(({ one }) => tableText(one)).join(', ')}`,
    })
  const known = [...extras, ...tables.map(tableText)]
  const near = nearest([...known, ...tables.map(({ name }) => name)], wanted)
  throw dataError(`there is no table ${wanted}`, {
    field: wanted,
    fix:
      tables.length === 0
        ? `the catalog has no table yet: export one, or query ${extras.join(', ')}`
        : near.length === 0
          ? `name one of ${listed(known)}`
          : `did you mean ${near.join(' or ')}?`,
  })
}
