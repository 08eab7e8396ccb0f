import { dataError } from '../../../errors.ts'
import { canonicalLocation } from '../../../storage/place.ts'
import { BucketNotFound, FileNotFound, UnknownStore } from '../../../storage/errors.ts'
import type { FileIO } from '../../../storage/file-io.ts'
import { MetadataMissingError } from '../../errors.ts'
import type { TableMetadata } from '../../metadata/metadata.ts'
import { namespaceText, tableText, type TableIdentifier } from '../catalog.ts'
import { readMetadataFile } from './metadata-file.ts'

/**
 * Reads the metadata file that a catalog points at.
 *
 * @param warehouse where tables would be made now, for the message
 * @throws {MetadataMissingError} when the file, or its bucket, is not there: the store was lost, or is another one now
 * @throws {JobError} data, when it is in a store that only the table's own writers know
 */
export async function currentMetadata(
  identifier: TableIdentifier,
  location: string,
  warehouse: string,
  openIO: (location: string) => Promise<FileIO>,
): Promise<{ readonly metadata: TableMetadata; readonly io: FileIO }> {
  try {
    const io = await openIO(canonicalLocation(location))
    return { metadata: await readMetadataFile(io, location), io }
  } catch (error) {
    if (error instanceof UnknownStore)
      throw dataError(
        `the catalog says that ${tableText(identifier)} is at ${location}, which is neither a folder nor s3://`,
        {
          field: tableText(identifier),
          fix: 'leave it to the program that made it; or take its entry out with lakejobs maintain forget',
          cause: error,
        },
      )
    if (!(error instanceof FileNotFound || error instanceof BucketNotFound)) throw error
    throw new MetadataMissingError({
      table: tableText(identifier),
      location,
      writtenIn: warehouseOf(identifier, location),
      warehouse,
      cause: error,
    })
  }
}

/** What WAREHOUSE was when the table was made, if it is where tables are made by default. */
function warehouseOf({ namespace, name }: TableIdentifier, location: string): string | undefined {
  const at = location.lastIndexOf(`/${namespaceText(namespace)}/${name}/metadata/`)
  return at < 0 ? undefined : location.slice(0, at)
}
