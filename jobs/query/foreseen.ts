import { allTables } from '../iceberg/catalog/all-tables.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import type { SnapshotChoice } from '../lake/snapshot-choice.ts'
import type { FileIO } from '../storage/file-io.ts'

/** Tables whose metadata are read ahead, at most: a text may have many words. */
const mostTables = 8

/**
 * The catalog for one statement, which asks it while the engine, that will tell what the statement names, still starts: for its list
 * of tables, for those whose names are words of the text, and for what planning the `choice` of each will read. What comes of it
 * is kept for whoever asks; a failure, too, and nobody need ask. Nothing is asked for a text that names only `known` tables, or none.
 */
export function foreseen(
  sql: string,
  choice: SnapshotChoice,
  known: Iterable<string>,
  open: () => Promise<Catalog>,
): () => Promise<Catalog> {
  let opening: Promise<Catalog> | undefined
  const stores: AheadStores = new WeakMap()
  const catalog = (): Promise<Catalog> => (opening ??= open().then((one) => remembering(one, stores)))
  if (namesOthers(sql, new Set(known))) void lookAhead(sql, choice, catalog, stores)
  return catalog
}

/** For each table that was loaded, the store through which its files are read ahead. */
type AheadStores = WeakMap<Table, FileIO>

/** Answers each question once. */
function remembering(catalog: Catalog, stores: AheadStores): Catalog {
  const once = <Given extends readonly unknown[], Answer>(
    key: (...given: Given) => string,
    ask: (...given: Given) => Promise<Answer>,
  ): ((...given: Given) => Promise<Answer>) => {
    const answers = new Map<string, Promise<Answer>>()
    return (...given) => {
      const name = key(...given)
      const answer = answers.get(name) ?? ask(...given)
      answers.set(name, answer)
      return answer
    }
  }
  return {
    ...catalog,
    load: once(tableText, async (identifier) => {
      const [loaded, { sharedReads }] = await Promise.all([
        catalog.load(identifier),
        import('./read-ahead.ts'),
      ])
      const { ahead, behind } = sharedReads(loaded.io)
      const table = { ...loaded, io: behind }
      stores.set(table, ahead)
      return table
    }),
    listNamespaces: once(
      () => '',
      () => catalog.listNamespaces(),
    ),
    listTables: once(
      (namespace) => JSON.stringify(namespace),
      (namespace) => catalog.listTables(namespace),
    ),
  }
}

async function lookAhead(
  sql: string,
  choice: SnapshotChoice,
  open: () => Promise<Catalog>,
  stores: AheadStores,
): Promise<void> {
  try {
    const catalog = await open()
    const words = new Set(sql.toLowerCase().split(/[^\p{L}\p{N}_$-]+/u))
    const tables = (await allTables(catalog)).filter(({ name }) => words.has(name.toLowerCase()))
    await Promise.allSettled(
      tables.slice(0, mostTables).map(async (identifier) => {
        const table = await catalog.load(identifier)
        const { readAhead } = await import('./read-ahead.ts')
        const { metadata, io } = table
        await readAhead({ name: tableText(identifier), metadata, io: stores.get(table) ?? io }, choice)
      }),
    )
  } catch {
    // Whoever asks for a table of it gets the same failure.
  }
}

/** Whether a text seems to read a table that is neither one of these nor made by itself (WITH). */
function namesOthers(sql: string, known: ReadonlySet<string>): boolean {
  const own = new Set([...sql.matchAll(/([\w$]+)"?\s+as\s*(?:(?:not\s+)?materialized\s*)?\(/gi)].map(lowered))
  // What a bracket follows is a function, which is none of a catalog's.
  const read = sql.matchAll(/\b(?:from|join|describe|summarize|show|table)\s+"?([\w$]+)(?!["\w$]*\s*\()/gi)
  return [...read].map(lowered).some((name) => !known.has(name) && !own.has(name))
}

const lowered = (found: RegExpMatchArray): string => found[1]!.toLowerCase()
