import { allTables } from '../iceberg/catalog/all-tables.ts'
import { tableText, type Catalog } from '../iceberg/catalog/catalog.ts'

/** Tables whose metadata are read ahead, at most: a text may have many words. */
const mostTables = 8

/**
 * The catalog for one statement, which asks it while the engine, that will tell what the statement names, still starts: for its list
 * of tables, and for those whose names are words of the text. What comes of it is kept for whoever asks; a failure, too, and nobody
 * need ask. Nothing is asked for a text that names only `known` tables, or none.
 */
export function foreseen(
  sql: string,
  known: Iterable<string>,
  open: () => Promise<Catalog>,
): () => Promise<Catalog> {
  let opening: Promise<Catalog> | undefined
  const catalog = (): Promise<Catalog> => (opening ??= open().then(remembering))
  if (namesOthers(sql, new Set(known))) void lookAhead(sql, catalog)
  return catalog
}

/** Answers each question once. */
function remembering(catalog: Catalog): Catalog {
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
    load: once(tableText, (identifier) => catalog.load(identifier)),
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

async function lookAhead(sql: string, open: () => Promise<Catalog>): Promise<void> {
  try {
    const catalog = await open()
    const words = new Set(sql.toLowerCase().split(/[^\p{L}\p{N}_$-]+/u))
    const tables = (await allTables(catalog)).filter(({ name }) => words.has(name.toLowerCase()))
    await Promise.allSettled(tables.slice(0, mostTables).map((table) => catalog.load(table)))
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
