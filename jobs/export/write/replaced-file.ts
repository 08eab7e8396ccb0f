import { buffer } from 'node:stream/consumers'
import type { FileIO } from '../../storage/file-io.ts'

/** A plain Parquet file that is about to be replaced, by its footer. */
export interface ReplacedFile {
  /** The store's, as of then. */
  readonly identity: string
  /** 0 for what is not Parquet. */
  readonly rows: number
  /** Its key-value metadata. */
  readonly entries: Readonly<Record<string, string>>
}

/** Most footers are within this many last bytes. */
const footerBytes = 64 * 1024

/** What is at `location`; undefined when there is nothing. */
export async function readReplacedFile(io: FileIO, location: string): Promise<ReplacedFile | undefined> {
  const found = await io.stat(location)
  if (found === undefined) return undefined
  const { identity, size } = found
  const { parquetMetadataAsync } = await import('hyparquet')
  const slice = async (start: number, end = size): Promise<ArrayBuffer> => {
    const bytes = await buffer(await io.stream(location, { start, end }))
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  }
  try {
    const metadata = await parquetMetadataAsync(
      { byteLength: size, slice },
      { initialFetchSize: footerBytes, geoparquet: false },
    )
    const entries = metadata.key_value_metadata ?? []
    return {
      identity,
      rows: Number(metadata.num_rows),
      entries: Object.fromEntries(entries.map(({ key, value }) => [key, value ?? ''])),
    }
  } catch {
    // Another program's file, damaged, or gone meanwhile: nothing is known of it, so nothing speaks against replacing it.
    return { identity, rows: 0, entries: {} }
  }
}
