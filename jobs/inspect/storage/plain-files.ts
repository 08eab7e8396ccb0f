import { mapConcurrently } from '../../concurrency.ts'
import { JobError } from '../../errors.ts'
import type { TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { readPlainFooter } from '../../lake/footer/footer.ts'
import { daysFolder, plainName } from '../../lake/plain-places.ts'
import { runOf } from '../../provenance/provenance.ts'
import { parseSource } from '../../provenance/source.ts'
import { BucketNotFound } from '../../storage/errors.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'

/** Where exports put plain Parquet files, and through which store. */
export interface PlainPlace {
  readonly io: FileIO
  /** Canonical, without trailing slash. */
  readonly location: string
}

/** An object of a table's Parquet export. */
export interface PlainObject {
  readonly location: string
  readonly bytes: number
  readonly modifiedMs: number
  /** Undefined: its footer was not read, or is none. */
  readonly content:
    | { readonly rows: number; readonly run: string | undefined; readonly source: string | undefined }
    | undefined
}

const footersAtOnce = 8
/** Of more than so many files the last ones' footers are not read. */
const mostFooters = 1000

/** The plain files of a table: of all its rows, and of its days. `namespace` is the one that folders leave out. */
export async function plainObjects(
  { io, location }: PlainPlace,
  table: TableIdentifier,
  namespace: string,
): Promise<PlainObject[]> {
  const name = plainName(table, namespace)
  const found: FileStat[] = []
  try {
    for (const folder of [`${location}/${name}`, daysFolder(location, name)])
      for await (const file of io.list(folder)) found.push(file)
  } catch (error) {
    // Nobody has exported any.
    if (!(error instanceof BucketNotFound)) throw error
  }
  const sorted = found.sort((a, b) => (a.location < b.location ? -1 : 1))
  const contents = await mapConcurrently(sorted.slice(0, mostFooters), footersAtOnce, (file) =>
    contentOf(io, file.location),
  )
  return sorted.map(({ location: at, size, modifiedMs }, index) => ({
    location: at,
    bytes: size,
    modifiedMs,
    content: contents[index],
  }))
}

async function contentOf(io: FileIO, location: string): Promise<PlainObject['content']> {
  try {
    const { rows, entries } = await readPlainFooter(io, location)
    return { rows, run: runOf(entries), source: parseSource(entries)?.table }
  } catch (error) {
    // Another program's, damaged, or gone meanwhile: it is listed all the same.
    if (error instanceof JobError && error.code === 'data') return undefined
    throw error
  }
}
