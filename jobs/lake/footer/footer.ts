import { buffer } from 'node:stream/consumers'
import { parquetMetadataAsync, type AsyncBuffer, type FileMetaData } from 'hyparquet'
import { asError, dataError, JobError } from '../../errors.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { pageIndexesOf, type PageIndexes } from './page-indexes.ts'
import { rowGroupStatistics, type RowGroupStatistics } from './statistics.ts'
import { FileNotFound } from '../../storage/errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'

/** A column of a file, or what is in one. */
export interface FileColumn {
  readonly name: string
  readonly fieldId: number | undefined
  /** Of a struct, a list or a map, as Parquet nests them. */
  readonly children: readonly FileColumn[]
}

/** What a data file says of itself. */
export interface Footer {
  readonly rows: number
  /** Its top-level columns. */
  readonly columns: readonly FileColumn[]
  /** Its key-value metadata. */
  readonly entries: Readonly<Record<string, string>>
  /** Of one of our files. */
  readonly pageIndexes: PageIndexes | undefined
  /** Parsed when they are asked for, which may throw what an unreadable footer does. */
  readonly rowGroups: readonly RowGroupStatistics[]
}

/** The footer of a file that no manifest speaks of, and its size. Errors: as of `readFooter`. */
export async function readPlainFooter(
  io: FileIO,
  location: string,
): Promise<Footer & { readonly size: number }> {
  const found = await io.stat(location)
  if (found === undefined) throw new FileNotFound(location)
  const { size } = found
  return { ...(await parse(io, location, size)).footer, size }
}

/**
 * Reads the footer of a data file, and holds the file against its manifest entry: whether it is there, its size and its
 * number of rows. Errors: `JobError` data, naming the file and what is wrong with it.
 */
export const readFooter = async (io: FileIO, file: DataFile): Promise<Footer> =>
  (await readRawFooter(io, file)).footer

/** A footer, and its bytes: `FileMetaData` of parquet.thrift, without its length and magic. */
export interface RawFooter {
  readonly footer: Footer
  readonly metadata: Uint8Array
  /** All that it says, where the values lie too. */
  readonly parsed: FileMetaData
}

/** As `readFooter`. */
export async function readRawFooter(io: FileIO, file: DataFile): Promise<RawFooter> {
  const location = canonicalLocation(file.filePath)
  const size = file.fileSizeInBytes
  const end = await endOf(io, location, size)
  if (end === undefined) {
    const found = await io.stat(location)
    if (found === undefined) throw new FileNotFound(location)
    if (found.size !== size)
      throw unreadable(location, `it has ${found.size} bytes, the manifest says ${size}`)
  }
  const raw = await parse(io, location, size, end)
  const { rows } = raw.footer
  if (rows !== file.recordCount)
    throw unreadable(location, `it has ${rows} rows, the manifest says ${file.recordCount}`)
  return raw
}

type Bytes = Awaited<ReturnType<typeof buffer>>

/**
 * The last bytes of a file in one request, which also tells whether it has the size that is expected: one byte more is asked for.
 * Undefined: it has another, or could not be read. Errors: `FileNotFound`.
 */
async function endOf(io: FileIO, location: string, size: number): Promise<Bytes | undefined> {
  const start = Math.max(0, size - endBytes(io, location))
  try {
    const bytes = await buffer(await io.stream(location, { start, end: size + 1 }))
    return bytes.length === size - start ? bytes : undefined
  } catch (error) {
    if (error instanceof FileNotFound) throw error
    return undefined
  }
}

/** A file whose content is not what it should be. */
export const unreadable = (location: string, what: string, cause?: unknown): JobError =>
  dataError(`file ${location}: ${what}`, {
    field: location,
    fix: 'export its days again, or bring the file back from a backup',
    cause,
  })

/** Bytes that are asked for first: of a local file few, as more take but little time; of a store those of nearly every footer. */
const endBytes = (io: FileIO, location: string): number =>
  io.localPath(location) === undefined ? 2 ** 19 : 2 ** 15
/** The metadata's length in 4 bytes, and "PAR1". */
const trailerBytes = 8

/** @param end the file's last bytes, where they are known */
async function parse(io: FileIO, location: string, size: number, end?: Bytes): Promise<RawFooter> {
  // What is read of it, from the end on.
  const tail: Buffer[] = []
  const file: AsyncBuffer = {
    byteLength: size,
    async slice(start, to = size) {
      const from = size - (end?.length ?? 0)
      const bytes =
        end !== undefined && start >= from
          ? end.subarray(start - from, to - from)
          : await buffer(await io.stream(location, { start, end: to }))
      tail.unshift(bytes)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    },
  }
  try {
    const metadata = await parquetMetadataAsync(file, { initialFetchSize: endBytes(io, location) })
    const { schema, num_rows: rows, key_value_metadata: entries = [] } = metadata
    const bytes = Buffer.concat(tail).subarray(0, -trailerBytes)
    const raw = bytes.subarray(bytes.length - metadata.metadata_length)
    let rowGroups: readonly RowGroupStatistics[] | undefined
    const footer = {
      rows: Number(rows),
      columns: columnsOf(schema, 0).columns,
      entries: Object.fromEntries(entries.map(({ key, value }) => [key, value ?? ''])),
      pageIndexes: pageIndexesOf(metadata),
      // Few ask for them, and they take as long as all the rest.
      get rowGroups() {
        try {
          return (rowGroups ??= rowGroupStatistics(raw, metadata))
        } catch (error) {
          throw footerFailure(location, error)
        }
      },
    }
    return { footer, metadata: raw, parsed: metadata }
  } catch (error) {
    throw footerFailure(location, error)
  }
}

const footerFailure = (location: string, error: unknown): Error =>
  error instanceof JobError
    ? error
    : unreadable(location, `its footer cannot be read (${asError(error).message})`, error)

type SchemaElements = Awaited<ReturnType<typeof parquetMetadataAsync>>['schema']

/** The children of the element at `at`, and where the element behind them is. */
function columnsOf(
  schema: SchemaElements,
  at: number,
): { readonly columns: readonly FileColumn[]; readonly next: number } {
  const columns: FileColumn[] = []
  let next = at + 1
  for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) {
    const { name, field_id: fieldId } = schema[next]!
    const below = columnsOf(schema, next)
    columns.push({ name, fieldId, children: below.columns })
    next = below.next
  }
  return { columns, next }
}
