import type { TableMetadata } from './metadata.ts'
import { murmur3 } from '../partition/murmur3.ts'

type Placed = Pick<TableMetadata, 'location' | 'properties'>

/** `metadata/`, or where `write.metadata.path` puts it; a location without trailing slash. */
export const metadataFolder = (table: Placed): string => folderOf(table, 'write.metadata.path', 'metadata')

/** `data/`, or where `write.data.path` puts it; a location without trailing slash. */
export const dataFolder = (table: Placed): string => folderOf(table, 'write.data.path', 'data')

/**
 * A property that is empty says nothing, as to PyIceberg: the path would begin at the root of the file system. A location may
 * end in a slash (Spark's LOCATION): no reader finds, and few stores take, a key with two.
 */
function folderOf({ location, properties }: Placed, property: string, usual: string): string {
  const folder = properties[property] ?? ''
  const place = folder === '' ? `${withoutSlash(location)}/${usual}` : folder
  return withoutSlash(place)
}

const withoutSlash = (location: string): string => location.replace(/\/+$/, '')

/** Bits of a name's hash that become folders, in groups of four, and the rest (Java's ObjectStoreLocationProvider). */
const hashBits = 20
const folderBits = 4
const folderDepth = 3

/**
 * Where a data file goes: below `data/`, or where `write.data.path` puts it; `folders` are its partition's. With
 * `write.object-storage.enabled` folders made of the name's hash come first, as Java and PyIceberg make them, so that a
 * store's prefixes share the load; `write.object-storage.partitioned-paths` false leaves the partition's folders out.
 */
export function dataFileLocation(
  table: Pick<TableMetadata, 'location' | 'properties'>,
  folders: readonly string[],
  name: string,
): string {
  const { properties } = table
  const root = dataFolder(table)
  if (!isTrue(properties, 'write.object-storage.enabled', false)) return [root, ...folders, name].join('/')
  if (!isTrue(properties, 'write.object-storage.partitioned-paths', true))
    return `${root}/${hashFolders(name)}-${name}`
  const path = [...folders, name].join('/')
  return `${root}/${hashFolders(path)}/${path}`
}

const isTrue = (properties: Readonly<Record<string, string>>, key: string, fallback: boolean): boolean =>
  (properties[key] ?? String(fallback)).toLowerCase() === 'true'

/** `0110/1010/0110/11100000` */
function hashFolders(text: string): string {
  const bytes = Buffer.from(text)
  const hash = (murmur3(bytes, 0, bytes.length) >>> 0).toString(2).padStart(32, '0').slice(-hashBits)
  const groups = Array.from({ length: folderDepth }, (_, group) =>
    hash.slice(group * folderBits, (group + 1) * folderBits),
  )
  return [...groups, hash.slice(folderDepth * folderBits)].join('/')
}
