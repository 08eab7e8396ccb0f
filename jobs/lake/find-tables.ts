import { dataError, listed, nearest, usageError } from '../errors.ts'
import { allTables } from '../iceberg/catalog/all-tables.ts'
import { tableText, type Catalog, type TableIdentifier } from '../iceberg/catalog/catalog.ts'

/**
 * The tables that are meant by names: `default.web_logs`; `web_logs` where no other namespace has one; `public.web_logs` or
 * `source=default.web_logs`, as exports name them; also in quotes, without which a flag is divided at a comma. `namespace` is that
 * of tables from `public`. Errors: `JobError` data for a name that no table has, with the nearest ones; usage for one that several
 * have.
 */
export async function findTables(
  catalog: Catalog,
  names: readonly string[],
  namespace: string,
): Promise<TableIdentifier[]> {
  const tables = await allTables(catalog)
  const found = new Map(
    names.map((name) => {
      const table = findTable(tables, name, namespace)
      return [tableText(table), table]
    }),
  )
  return [...found.values()]
}

/** What there is to say of a name that no table has: the nearest ones. */
export const noSuchTable = async (catalog: Catalog, name: string, namespace: string): Promise<Error> =>
  missing(await allTables(catalog), name, namespace)

function findTable(tables: readonly TableIdentifier[], given: string, namespace: string): TableIdentifier {
  const name = /=([^="]+)$/.exec(given)?.[1] ?? given
  const called = (text: string): TableIdentifier | undefined => tables.find((one) => tableText(one) === text)
  const bare = withoutQuotes(name)
  const exact =
    called(given) ?? called(name) ?? called(bare) ?? called(bare.replace(/^public\./, `${namespace}.`))
  if (exact !== undefined) return exact
  const [first, second, ...more] = tables.filter((table) => table.name === name || table.name === bare)
  if (first === undefined) throw missing(tables, name, namespace)
  if (second === undefined) return first
  throw usageError(`--table ${name}: several namespaces have it`, {
    field: '--table',
    fix: `give one of ${listed([first, second, ...more].map(tableText).map(flagItem))}`,
  })
}

/** As the catalog has a name that a flag has in quotes. */
export const withoutQuotes = (name: string): string => name.replaceAll('"', '')

/** As a flag takes it. */
const flagItem = (table: string): string => (table.includes(',') ? `"${table}"` : table)

function missing(tables: readonly TableIdentifier[], name: string, namespace: string): Error {
  const names = tables.map(tableText)
  const near = nearest(names, name.includes('.') ? name : `${namespace}.${name}`)
  return dataError(`no such table in the catalog: ${name}`, {
    field: '--table',
    fix:
      names.length === 0
        ? 'the catalog has none; export one, or correct ICEBERG_CATALOG_NAME'
        : near.length === 0
          ? `give one of ${listed(names.map(flagItem))}`
          : `did you mean ${near.map(flagItem).join(' or ')}?`,
  })
}
