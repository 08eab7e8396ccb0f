import { isAscii } from 'node:buffer'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { FileIO } from '../../../storage/file-io.ts'
import { canonicalLocation } from '../../../storage/place.ts'
import { unlessDamaged } from '../../damaged.ts'
import type { TableMetadata } from '../../metadata/metadata.ts'
import { metadataBytes, parseMetadata } from '../../metadata/metadata-json.ts'
import { metadataFolder } from '../../metadata/locations.ts'

/** Reads a metadata file of any writer, gzipped or not (some name such files `.gz.metadata.json`). */
export async function readMetadataFile(io: FileIO, location: string): Promise<TableMetadata> {
  const bytes = await io.read(canonicalLocation(location))
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const plain = isGzip ? unlessDamaged(location, () => gunzipSync(bytes)) : bytes
  // Megabytes of ASCII are read several times as quickly without looking for more.
  return parseMetadata(plain.toString(isAscii(plain) ? 'latin1' : 'utf8'), location)
}

/** Writes a metadata file, create-only, compressed if its name says so. */
export async function writeMetadataFile(
  io: FileIO,
  location: string,
  metadata: TableMetadata,
): Promise<void> {
  const bytes = metadataBytes(metadata)
  const body = location.endsWith(gzipSuffix) ? gzipSync(bytes) : bytes
  await io.write(canonicalLocation(location), body, { ifAbsent: true })
}

/** Readers look at the name, not at the first bytes. */
const gzipSuffix = '.gz.metadata.json'

/**
 * `metadata/00004-<uuid>.metadata.json` after version 3; a name of another form counts as version -1. With
 * `write.metadata.compression-codec` gzip the file's name ends in `.gz.metadata.json`.
 */
export function nextMetadataLocation(
  metadata: TableMetadata,
  previous: string | undefined,
  uuid: string,
): string {
  const name = previous?.slice(previous.lastIndexOf('/') + 1) ?? ''
  const version = Number(/^(\d+)-[^/]*\.metadata\.json$/.exec(name)?.[1] ?? -1)
  const codec = metadata.properties['write.metadata.compression-codec']?.toLowerCase()
  const suffix = codec === 'gzip' ? gzipSuffix : '.metadata.json'
  return `${metadataFolder(metadata)}/${String(version + 1).padStart(5, '0')}-${uuid}${suffix}`
}

/**
 * With `write.metadata.delete-after-commit.enabled`, removes the metadata files that `next` no longer has in its log
 * and `base` had. Best effort: the commit is made, and nothing refers to them any more.
 */
export async function removeUnlogged(io: FileIO, base: TableMetadata, next: TableMetadata): Promise<void> {
  const { properties } = next
  if (properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() !== 'true') return
  const logged = new Set(next['metadata-log'].map((entry) => entry['metadata-file']))
  for (const { 'metadata-file': location } of base['metadata-log'])
    if (!logged.has(location)) await io.delete(canonicalLocation(location)).catch(() => undefined)
}
