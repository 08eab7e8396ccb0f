import { mapConcurrently } from '../concurrency.ts'
import {
  fileContent,
  type DataFile,
  type ManifestEntry,
  type ManifestFile,
} from '../iceberg/manifest/data-file.ts'
import { entryStatus } from '../iceberg/manifest/data-file.ts'
import { decodeManifest } from '../iceberg/manifest/manifest.ts'
import { isLive, readManifestList, specTypeOf } from '../iceberg/manifest/table-files.ts'
import { snapshotById, type Snapshot } from '../iceberg/metadata/metadata.ts'
import { fieldSummaries, type FieldSummary } from '../iceberg/partition/partition-value.ts'
import type { PartitionColumnType } from '../iceberg/partition/partition-spec.ts'
import { compareValues, fromSingleValue } from '../iceberg/schema/single-value.ts'
import type { ReadTable } from '../lake/read-plan.ts'
import { canonicalLocation } from '../storage/place.ts'

/** Manifests that are read at once. */
const manifestsAtOnce = 8

/**
 * Holds what a snapshot's metadata say of one another (lake-spec §2.5): the lengths, counts and partitions that its list has
 * of each manifest, sequence numbers, and the totals of its summary; a total that its writer left out is no fault. What is
 * not true, one line each, with the file's name. Errors: those of reading manifests.
 */
export async function metadataFaults(
  { metadata, io }: ReadTable,
  snapshot: Snapshot | undefined,
): Promise<string[]> {
  if (snapshot === undefined) return []
  const manifests = await readManifestList(io, snapshot)
  const checked = await mapConcurrently(manifests, manifestsAtOnce, async (manifest) => {
    const { type } = specTypeOf(metadata, manifest.partitionSpecId)
    const location = canonicalLocation(manifest.manifestPath)
    const bytes = await io.read(location)
    const entries = decodeManifest(manifest, bytes, type)
    const faults = manifestFaults(manifest, bytes.length, entries, type)
    return {
      faults: faults.map((line) => `manifest ${location}: ${line}`),
      files: entries.filter(isLive).map(({ dataFile }) => dataFile),
    }
  })
  // Of version 1 all are 0.
  const own = snapshot['sequence-number']
  const list = `manifest list ${snapshot['manifest-list']}`
  const parent = snapshotById(metadata, snapshot['parent-snapshot-id'])
  const last = metadata['last-sequence-number']
  const name = `snapshot ${snapshot['snapshot-id']}`
  return [
    ...checked.flatMap(({ faults }) => faults),
    ...manifests.flatMap(({ manifestPath, sequenceNumber }) =>
      sequenceNumber > own
        ? [
            `${list}: manifest ${manifestPath} has sequence number ${sequenceNumber}, its snapshot's is ${own}`,
          ]
        : [],
    ),
    ...(own > last ? [`${name} has sequence number ${own}, the table's last is ${last}`] : []),
    ...(parent !== undefined && own > 0 && parent['sequence-number'] >= own
      ? [`${name} has sequence number ${own}, its parent's is ${parent['sequence-number']}`]
      : []),
    ...totalFaults(
      snapshot,
      checked.flatMap(({ files }) => files),
    ).map((line) => `${name}: ${line} in ${list}`),
  ]
}

function manifestFaults(
  manifest: ManifestFile,
  length: number,
  entries: readonly ManifestEntry[],
  type: readonly PartitionColumnType[],
): string[] {
  const { sequenceNumber, minSequenceNumber, content, manifestLength } = manifest
  const live = entries.filter(isLive)
  const says = (what: string, own: number, listed: number): string[] =>
    own === listed ? [] : [`it has ${own} ${what}, the manifest list says ${listed}`]
  const counted = (['added', 'existing', 'deleted'] as const).flatMap((kind) => {
    const some = entries.filter(({ status }) => status === entryStatus[kind])
    return [
      ...says(`${kind} files`, some.length, manifest[`${kind}FilesCount`]),
      ...says(`rows in ${kind} files`, rowsOf(some), manifest[`${kind}RowsCount`]),
    ]
  })
  const numbers = live.flatMap(({ sequenceNumber: data, fileSequenceNumber: file, dataFile }) => {
    if (data === undefined) return [`file ${dataFile.filePath} has no sequence number`]
    if (data < minSequenceNumber)
      return [
        `file ${dataFile.filePath} has sequence number ${data}, the manifest list says at least ${minSequenceNumber}`,
      ]
    const highest = Math.max(data, file ?? 0)
    return highest > sequenceNumber
      ? [`file ${dataFile.filePath} has sequence number ${highest}, its manifest's is ${sequenceNumber}`]
      : []
  })
  const isOwn = ({ dataFile }: ManifestEntry): boolean =>
    (dataFile.content === fileContent.data) === (content === 0)
  return [
    ...says('bytes', length, manifestLength),
    ...counted,
    ...live.flatMap((entry) =>
      isOwn(entry) ? [] : [`file ${entry.dataFile.filePath} is of another content than its manifest`],
    ),
    ...numbers,
    ...partitionFaults(manifest, live, type),
  ]
}

const rowsOf = (entries: readonly ManifestEntry[]): number =>
  entries.reduce((rows, { dataFile }) => rows + dataFile.recordCount, 0)

/** Readers leave out a manifest whose partitions are all outside of what they want. */
function partitionFaults(
  { partitions }: ManifestFile,
  live: readonly ManifestEntry[],
  type: readonly PartitionColumnType[],
): string[] {
  if (partitions === undefined || live.length === 0) return []
  const found = fieldSummaries(
    type,
    live.map(({ dataFile }) => dataFile.partition),
  )
  return type.flatMap((field, at) => {
    const [own, listed] = [found[at]!, partitions[at]]
    return listed === undefined || isWithin(field, own, listed)
      ? []
      : [`it has files in other partitions by ${field.name} than the manifest list says`]
  })
}

function isWithin({ type }: PartitionColumnType, own: FieldSummary, listed: FieldSummary): boolean {
  const order = (a: Uint8Array, b: Uint8Array): number =>
    compareValues(fromSingleValue(type, a), fromSingleValue(type, b))
  const { lowerBound: lower, upperBound: upper } = own
  if (own.containsNull && !listed.containsNull) return false
  // Bounds that are left out are those of no value at all.
  if (lower !== undefined && (listed.lowerBound === undefined || order(lower, listed.lowerBound) < 0))
    return false
  return upper === undefined || (listed.upperBound !== undefined && order(upper, listed.upperBound) <= 0)
}

/** The totals of a snapshot's summary that its live files do not add up to. */
function totalFaults({ summary }: Snapshot, files: readonly DataFile[]): string[] {
  const ofContent = (content: number): DataFile[] => files.filter((file) => file.content === content)
  const rows = (some: readonly DataFile[]): number => some.reduce((sum, file) => sum + file.recordCount, 0)
  const data = ofContent(fileContent.data)
  // Of a vector in a Puffin file some writers count the vector, others the file.
  const hasVectors = files.some(({ contentOffset }) => contentOffset !== undefined)
  const totals: readonly (readonly [name: string, total: number])[] = [
    ['total-data-files', data.length],
    ['total-records', rows(data)],
    ['total-delete-files', files.length - data.length],
    ['total-position-deletes', rows(ofContent(fileContent.positionDeletes))],
    ['total-equality-deletes', rows(ofContent(fileContent.equalityDeletes))],
    ...(hasVectors
      ? []
      : [['total-files-size', files.reduce((sum, file) => sum + file.fileSizeInBytes, 0)] as const]),
  ]
  return totals.flatMap(([name, total]) => {
    const said = summary[name]
    return said === undefined || Number(said) === total ? [] : [`its ${name} is ${said}, it is ${total}`]
  })
}
