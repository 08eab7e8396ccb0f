import type { Table } from '../iceberg/catalog/catalog.ts'
import { readTips, versionOf } from './entry/newest-metadata.ts'
import type { ListedFile } from './listing.ts'
import { createTally, total, type Amount } from './tally.ts'
import type { Walk } from './walk.ts'

/** Files that only a history needs which the catalog’s pointer does not have. */
export interface NewerFiles extends Amount {
  /** Its newest metadata files. */
  readonly tips: readonly string[]
}

/**
 * Goes through what metadata files of the table need that are newer than the catalog's, or that other files came upon which
 * the catalog's does not have: a catalog that was restored from a backup points to older ones, and what was committed since
 * looks like orphans. Of a lost commit there is one such file, until the next commit has its version. What they name and is
 * not there is no matter.
 */
export async function walkNewer(
  { metadata, metadataLocation = '', io }: Table,
  unneeded: readonly ListedFile[],
  walk: Walk,
): Promise<NewerFiles> {
  const own = [metadataLocation, ...metadata['metadata-log'].map((entry) => entry['metadata-file'])]
  const versions = own.map((location) => versionOf(location) ?? -1).filter((version) => version >= 0)
  const [oldest, newest] = [Math.min(...versions), Math.max(...versions)]
  const others = unneeded.flatMap(({ location, kind }) => {
    const version = kind === 'metadata' ? (versionOf(location) ?? -1) : -1
    return version >= oldest ? [{ location, version }] : []
  })
  const { tips } = await readTips(io, others)
  const known = new Set(others.map(({ location }) => location))
  // Nothing else tells those of metadata files.
  const sizes = new Map(
    unneeded.flatMap(({ kind, location, size }) => (kind === 'metadata' ? [[location, size]] : [])),
  )
  const tally = createTally()
  const found: string[] = []
  for (const { location, version, metadata: other } of tips) {
    const isCommitted = other['metadata-log'].some((entry) => known.has(entry['metadata-file']))
    if (other['table-uuid'] !== metadata['table-uuid'] || (version <= newest && !isCommitted)) continue
    found.push(location)
    const table = { metadata: other, metadataLocation: location, io }
    for await (const file of walk.allOf(table, () => undefined))
      tally.add({ ...file, size: file.size ?? sizes.get(file.location) })
  }
  return { ...total(tally), tips: found }
}
