import type { FileIO } from '../../../storage/file-io.ts'
import { canonicalLocation } from '../../../storage/place.ts'

/**
 * Writes the name of the newest metadata file, without its ending, into `version-hint.text` beside it, for readers that
 * know a table by its folder alone (DuckDB). Best effort: the commit is made, the catalog alone decides, and of two
 * commits at once the older one's hint may come last. Nothing of ours reads it.
 */
export async function writeVersionHint(io: FileIO, metadataLocation: string): Promise<void> {
  const end = metadataLocation.lastIndexOf('/') + 1
  const version = metadataLocation.slice(end).replace(/(\.gz)?\.metadata\.json$/, '')
  const location = `${metadataLocation.slice(0, end)}version-hint.text`
  await io.write(canonicalLocation(location), Buffer.from(version)).catch(() => undefined)
}
