import { dataError } from '../../errors.ts'
import { partitionKey } from '../partition/partition-value.ts'
import { fileContent, type DataFile, type ManifestEntry } from './data-file.ts'

/** The delete files that apply to one data file: the rows that any of them names are gone. */
export interface AppliedDeletes {
  /** Then there are no position deletes: a deletion vector has what they had. */
  readonly vector: ManifestEntry | undefined
  readonly positions: readonly ManifestEntry[]
  readonly equalities: readonly ManifestEntry[]
}

export const noDeletes: AppliedDeletes = { vector: undefined, positions: [], equalities: [] }

/** Tells which of some delete files apply to a data file, which has that data sequence number. */
export type DeleteIndex = (file: DataFile, sequenceNumber: number) => AppliedDeletes

/** The reserved column of a position delete file that holds the data files' paths (spec "Reserved Field IDs"). */
const pathColumn = 2_147_483_546

/**
 * The rules of spec "Scan Planning" over the live entries of delete manifests: a position delete or deletion vector
 * applies to files that are not newer than it, an equality delete to files that are older. Each applies within its own
 * spec and partition; equality deletes of an unpartitioned spec apply to all, deletion vectors and position deletes that
 * name a data file to that one. Errors: `JobError` data for deletion vectors that no reader could apply.
 */
export function deleteIndex(
  entries: readonly ManifestEntry[],
  isUnpartitioned: (specId: number) => boolean,
): DeleteIndex {
  const vectors = new Map<string, ManifestEntry>()
  const positionsOf = new Map<string, ManifestEntry[]>()
  const positionsIn = new Map<string, ManifestEntry[]>()
  const equalitiesIn = new Map<string, ManifestEntry[]>()
  const equalitiesOfAll: ManifestEntry[] = []
  for (const entry of entries) {
    const { dataFile: file } = entry
    if (file.content === fileContent.equalityDeletes) {
      if (isUnpartitioned(file.specId)) equalitiesOfAll.push(entry)
      else add(equalitiesIn, keyOf(file), entry)
    } else if (isVector(file)) addVector(vectors, entry)
    else if (file.referencedDataFile !== undefined) add(positionsOf, file.referencedDataFile, entry)
    else add(positionsIn, keyOf(file), entry)
  }
  if (entries.length === 0) return () => noDeletes
  return (file, sequenceNumber) => {
    const key = keyOf(file)
    const isAsNew = (entry: ManifestEntry): boolean => sequenceOf(entry) >= sequenceNumber
    const isNewer = (entry: ManifestEntry): boolean => sequenceOf(entry) > sequenceNumber
    const vector = vectors.get(file.filePath)
    const applies = vector !== undefined && isAsNew(vector)
    const positions = [
      ...(positionsIn.get(key) ?? []).filter((entry) => mayName(entry.dataFile, file.filePath)),
      ...(positionsOf.get(file.filePath) ?? []).filter((entry) => keyOf(entry.dataFile) === key),
    ]
    return {
      vector: applies ? vector : undefined,
      positions: applies ? [] : positions.filter(isAsNew),
      equalities: [...equalitiesOfAll, ...(equalitiesIn.get(key) ?? [])].filter(isNewer),
    }
  }
}

/** Whether a delete file is a deletion vector: a blob of a Puffin file. */
export const isVector = ({ content, fileFormat }: DataFile): boolean =>
  content === fileContent.positionDeletes && fileFormat === 'PUFFIN'

const sequenceOf = ({ sequenceNumber }: ManifestEntry): number => sequenceNumber ?? 0

const keyOf = ({ specId, partition }: DataFile): string => partitionKey(specId, partition)

function add(map: Map<string, ManifestEntry[]>, key: string, entry: ManifestEntry): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [entry])
  else known.push(entry)
}

function addVector(vectors: Map<string, ManifestEntry>, entry: ManifestEntry): void {
  const { filePath, referencedDataFile, contentOffset, contentSizeInBytes } = entry.dataFile
  if (referencedDataFile === undefined || contentOffset === undefined || contentSizeInBytes === undefined)
    throw dataError(`a deletion vector in ${filePath} does not say where it is, or whose`, {
      field: filePath,
    })
  if (vectors.has(referencedDataFile))
    throw dataError(`${referencedDataFile} has two deletion vectors`, { field: referencedDataFile })
  vectors.set(referencedDataFile, entry)
}

/** Whether a data file's path is between the bounds of those that a position delete file holds. */
function mayName({ lowerBounds, upperBounds }: DataFile, path: string): boolean {
  const [lower, upper] = [lowerBounds?.get(pathColumn), upperBounds?.get(pathColumn)]
  const bytes = Buffer.from(path)
  return (
    (lower === undefined || Buffer.compare(lower, bytes) <= 0) &&
    (upper === undefined || Buffer.compare(upper, bytes) >= 0)
  )
}
