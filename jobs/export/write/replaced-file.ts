import { buffer } from 'node:stream/consumers'
import type { FileMetaData } from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js'
import { FileNotFound } from '../../storage/errors.ts'
import type { FileIO } from '../../storage/file-io.ts'

/** A plain Parquet file that is about to be replaced, by its footer. */
export interface ReplacedFile {
  /** The store's, as of then. */
  readonly identity: string
  /** 0 for what is not Parquet. */
  readonly rows: number
  /** The names of its columns; none of what is not Parquet. */
  readonly columns: readonly string[]
  /** Whether the file has all that its footer speaks of. */
  readonly isWhole: boolean
  /** Its key-value metadata. */
  readonly entries: Readonly<Record<string, string>>
}

/** Most footers are within this many last bytes. */
const footerBytes = 64 * 1024
/** At the end: the metadata's length in 4 bytes, and "PAR1" (Parquet's file format). */
const trailerBytes = 8

/** What is at `location`; undefined when there is nothing. */
export async function readReplacedFile(io: FileIO, location: string): Promise<ReplacedFile | undefined> {
  const found = await io.stat(location)
  if (found === undefined) return undefined
  const { identity, size } = found
  const footer = await readFooter(io, location, size)
  // Another program's file, damaged, or gone meanwhile: nothing is known of it, so nothing speaks against replacing it.
  const known = footer && contentOf(footer, size - footer.length, await loadDecoder())
  return { identity, ...(known ?? { rows: 0, columns: [], isWhole: false, entries: {} }) }
}

/** "PAR1" at the beginning. */
const magicBytes = 4

/** `dataBytes`: those of the file before its footer. Undefined: the footer is damaged. */
function contentOf(
  footer: Buffer,
  dataBytes: number,
  decode: (footer: Buffer) => FileMetaData,
): Omit<ReplacedFile, 'identity'> | undefined {
  try {
    const metadata = decode(footer)
    const entries = metadata.key_value_metadata ?? []
    const chunks = metadata.row_groups.flatMap(({ columns }) => columns)
    const chunkBytes = chunks.reduce(
      (sum, { meta_data: chunk }) => sum + (chunk?.total_compressed_size.toNumber() ?? 0),
      magicBytes,
    )
    return {
      rows: metadata.num_rows.toNumber(),
      columns: topLevel(metadata.schema),
      isWhole: chunkBytes === dataBytes,
      entries: Object.fromEntries(entries.map(({ key, value }) => [key, value ?? ''])),
    }
  } catch {
    return undefined
  }
}

/** The names of the root's children in a schema that is listed depth first (Parquet's file format). */
function topLevel([root, ...elements]: FileMetaData['schema']): string[] {
  const names: string[] = []
  let index = 0
  const pass = (): void => {
    const children = elements[index++]?.num_children ?? 0
    for (let child = 0; child < children && index < elements.length; child++) pass()
  }
  for (let child = 0; child < (root?.num_children ?? 0) && index < elements.length; child++) {
    names.push(elements[index]!.name)
    pass()
  }
  return names
}

/** Loaded when it is needed: Thrift's generated classes are many, and most runs replace nothing. */
async function loadDecoder(): Promise<(footer: Buffer) => FileMetaData> {
  // `default`: what CommonJS exports by other names is there in Node, but not in a bundle.
  const { default: thrift } = await import('@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js')
  const { default: util } = await import('@dsnp/parquetjs/dist/lib/util.js')
  return (footer) => {
    const metadata = new thrift.FileMetaData()
    util.decodeThrift(metadata, footer)
    return metadata
  }
}

/** The file's metadata, and what follows it to the file's end; undefined for what is not Parquet, or is gone. */
async function readFooter(io: FileIO, location: string, size: number): Promise<Buffer | undefined> {
  const lastBytes = async (count: number): Promise<Buffer> =>
    buffer(await io.stream(location, { start: Math.max(0, size - count), end: size }))
  try {
    let end = await lastBytes(footerBytes)
    if (end.length < trailerBytes || end.toString('latin1', end.length - 4) !== 'PAR1') return undefined
    const length = end.readUInt32LE(end.length - trailerBytes) + trailerBytes
    if (length > end.length) end = await lastBytes(length)
    return end.subarray(end.length - length)
  } catch (error) {
    if (error instanceof FileNotFound) return undefined
    throw error
  }
}
