import { gunzipSync } from 'node:zlib'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { TableMetadata } from '../metadata.ts'
import { parseMetadata, stringifyMetadata } from '../metadata-json.ts'
import { metadataFolder } from '../table-files.ts'

/** Reads a metadata file of any writer, gzipped or not (some name such files `.gz.metadata.json`). */
export async function readMetadataFile(io: FileIO, location: string): Promise<TableMetadata> {
  const bytes = await io.read(canonicalLocation(location))
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseMetadata((isGzip ? gunzipSync(bytes) : bytes).toString('utf8'), location)
}

/** Writes a metadata file, create-only. */
export async function writeMetadataFile(
  io: FileIO,
  location: string,
  metadata: TableMetadata,
): Promise<void> {
  await io.write(canonicalLocation(location), Buffer.from(stringifyMetadata(metadata)), { ifAbsent: true })
}

/** `metadata/00004-<uuid>.metadata.json` after version 3; a name of another form counts as version -1. */
export function nextMetadataLocation(
  metadata: TableMetadata,
  previous: string | undefined,
  uuid: string,
): string {
  const name = previous?.slice(previous.lastIndexOf('/') + 1) ?? ''
  const version = Number(/^(\d+)-[^/]*\.metadata\.json$/.exec(name)?.[1] ?? -1)
  return `${metadataFolder(metadata)}/${String(version + 1).padStart(5, '0')}-${uuid}.metadata.json`
}
