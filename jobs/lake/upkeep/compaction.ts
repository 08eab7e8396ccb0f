import { targetBytes } from '../../iceberg/writer/write-settings.ts'
import { fileContent, type ManifestEntry } from '../../iceberg/manifest/data-file.ts'
import {
  branchSnapshot,
  currentSchema,
  mainBranch,
  snapshotById,
  type TableMetadata,
} from '../../iceberg/metadata/metadata.ts'
import { partitionKey } from '../../iceberg/partition/partition-value.ts'
import { asColumnType, type Type, type Value } from '../../iceberg/schema/types.ts'
import { hasDeletes, type PlannedFile, type ReadPlan } from '../read-plan.ts'

/** A file below this share of the target is small, one above the other is too large (lake-spec §4.5). */
export const smallShare = 0.75
export const largeShare = 1.8

export interface CompactionOptions {
  /** Files without deletes that a partition must have to be put into fewer. */
  readonly minFiles: number
  /** Bytes that one run may rewrite. */
  readonly maxRewrite: number
  /** Bytes of a partition that are rewritten and committed at once: a killed run does no more again. */
  readonly mostGroupBytes?: number
}

/** What `lakejobs maintain compact` goes by, where it is told nothing. */
export const usualCompaction: CompactionOptions = { minFiles: 5, maxRewrite: 100e9 }

/** Files of one partition, to be put into others by one commit. */
export interface CompactionGroup {
  readonly specId: number
  readonly partition: readonly (Value | null)[]
  /** The oldest rows first. */
  readonly files: readonly PlannedFile[]
  readonly bytes: number
  /** Delete files that apply to none but these and those of earlier groups: they go with them. */
  readonly deletes: readonly ManifestEntry[]
  /** Files that are to come of it. */
  readonly outputs: number
}

/** What compaction would do to a table, as of one snapshot. */
export interface CompactionPlan {
  /** The oldest first. */
  readonly groups: readonly CompactionGroup[]
  /** Delete files that apply to nothing any more. */
  readonly dangling: readonly ManifestEntry[]
  /** What is left for later: by `maxRewrite`, or as the table is skipped. */
  readonly left: { readonly files: number; readonly bytes: number }
  /** Why nothing is to be done, where files could be put together. */
  readonly skipped: string | undefined
}

const usualGroupBytes = 4 * 2 ** 30

/**
 * Plans a compaction of `main` (lake-spec §4.5), the only one there is: for the dry run, the run and what inspect says. Per
 * spec and partition, by its typed values, it takes the files that are far below the target size, far above it, or have
 * deletes; and only if fewer files come of them, or deletes are applied, or one is too large. Pure. `plan` is that of
 * everything.
 */
export function planCompaction(
  metadata: TableMetadata,
  plan: Pick<ReadPlan, 'files' | 'deleteFiles'>,
  { minFiles, maxRewrite, mostGroupBytes = usualGroupBytes }: CompactionOptions,
): CompactionPlan {
  const target = targetBytes(metadata.properties)
  const partitions = new Map<string, PlannedFile[]>()
  for (const planned of plan.files) {
    const { file } = planned
    if (!isChosen(planned, target)) continue
    const key = partitionKey(file.specId, file.partition)
    const known = partitions.get(key)
    if (known === undefined) partitions.set(key, [planned])
    else known.push(planned)
  }
  const all = [...partitions.values()]
    .flatMap((files) => pieces([...files].sort(byAge), mostGroupBytes))
    .filter((files) => isWorth(files, target, minFiles))
    .sort((a, b) => byAge(a[0]!, b[0]!))
  const dangling = danglingDeletes(plan)
  const isDirty = all.some((files) => files.some(hasDeletes))
  if (all.length > 0 && !isDirty && isReplacedEachTime(metadata))
    return {
      groups: [],
      dangling,
      left: { files: all.flat().length, bytes: bytesOf(all.flat()) },
      skipped: 'its last two commits replaced everything, and the next one would again',
    }

  const chosen: (readonly PlannedFile[])[] = []
  let bytes = 0
  const left = { files: 0, bytes: 0 }
  for (const files of all) {
    const own = bytesOf(files)
    if (bytes + own <= maxRewrite) {
      chosen.push(files)
      bytes += own
    } else {
      left.files += files.length
      left.bytes += own
    }
  }
  return { groups: withDeletes(plan.files, chosen, target), dangling, left, skipped: undefined }
}

const isSmall = ({ file }: PlannedFile, target: number): boolean => file.fileSizeInBytes < smallShare * target

/** One row cannot be parted. */
const isLarge = ({ file }: PlannedFile, target: number): boolean =>
  file.fileSizeInBytes > largeShare * target && file.recordCount > 1

const isChosen = (planned: PlannedFile, target: number): boolean =>
  isSmall(planned, target) || isLarge(planned, target) || hasDeletes(planned)

const bytesOf = (files: readonly PlannedFile[]): number =>
  files.reduce((bytes, { file }) => bytes + file.fileSizeInBytes, 0)

/** By the age of their rows; of one commit in the order of their names. */
const byAge = (a: PlannedFile, b: PlannedFile): number =>
  a.sequenceNumber - b.sequenceNumber || (a.file.filePath < b.file.filePath ? -1 : 1)

/** A large partition in parts of about one size. */
function pieces(files: readonly PlannedFile[], mostBytes: number): PlannedFile[][] {
  const all = bytesOf(files)
  const most = all / Math.ceil(all / mostBytes)
  const parts: PlannedFile[][] = [[]]
  let bytes = 0
  for (const planned of files) {
    if (bytes >= most * parts.length) parts.push([])
    parts.at(-1)!.push(planned)
    bytes += planned.file.fileSizeInBytes
  }
  return parts
}

/** Files that `bytes` are put into: each has three quarters of the target to one and a half. */
const outputsOf = (bytes: number, target: number): number => Math.max(1, Math.round(bytes / target))

function isWorth(files: readonly PlannedFile[], target: number, minFiles: number): boolean {
  if (files.some((planned) => hasDeletes(planned) || isLarge(planned, target))) return true
  return files.length >= minFiles && outputsOf(bytesOf(files), target) < files.length
}

/** The groups with the delete files that have nothing more to do when they are committed, in this order. */
function withDeletes(
  files: readonly PlannedFile[],
  chosen: readonly (readonly PlannedFile[])[],
  target: number,
): CompactionGroup[] {
  const waiting = new Map<string, Set<string>>()
  for (const { file, deletes } of files)
    for (const { dataFile } of deletes.positions) {
      const known = waiting.get(dataFile.filePath) ?? new Set()
      waiting.set(dataFile.filePath, known.add(file.filePath))
    }
  return chosen.map((group) => {
    const done: ManifestEntry[] = []
    for (const { file, deletes } of group)
      for (const entry of deletes.positions) {
        const others = waiting.get(entry.dataFile.filePath)
        if (others?.delete(file.filePath) === true && others.size === 0) done.push(entry)
      }
    const { specId, partition } = group[0]!.file
    const bytes = bytesOf(group)
    return { specId, partition, files: group, bytes, deletes: done, outputs: outputsOf(bytes, target) }
  })
}

/** Position deletes that no live data file has rows for; equality deletes are left to whoever makes them. */
function danglingDeletes({ files, deleteFiles }: Pick<ReadPlan, 'files' | 'deleteFiles'>): ManifestEntry[] {
  const applied = new Set(
    files.flatMap(({ deletes }) => deletes.positions.map(({ dataFile }) => dataFile.filePath)),
  )
  return deleteFiles.filter(
    ({ dataFile }) => dataFile.content === fileContent.positionDeletes && !applied.has(dataFile.filePath),
  )
}

/** Whether the two newest commits, compactions aside, each put new files in the place of all there were. */
function isReplacedEachTime(metadata: TableMetadata): boolean {
  let commits = 0
  for (
    let snapshot = branchSnapshot(metadata, mainBranch);
    snapshot !== undefined;
    snapshot = snapshotById(metadata, snapshot['parent-snapshot-id'])
  ) {
    const { summary } = snapshot
    if (summary['operation'] === 'replace') continue
    const isWhole =
      Number(summary['deleted-data-files'] ?? 0) > 0 &&
      summary['added-data-files'] !== undefined &&
      summary['added-data-files'] === summary['total-data-files']
    if (!isWhole) return false
    if (++commits === 2) return true
  }
  return false
}

/**
 * Why a table cannot be compacted by us, whatever its files are like; undefined: it can. Nothing but what its metadata and
 * manifests say is looked at.
 */
export function whyNotCompacted(
  metadata: TableMetadata,
  { deleteFiles }: Pick<ReadPlan, 'deleteFiles'>,
): { readonly why: string; readonly fix: string } | undefined {
  const version = metadata['format-version']
  const spark = 'rewrite its data files with Spark (rewrite_data_files)'
  if (version > 2)
    return { why: `format version ${version}: its rows would lose their ids (row lineage)`, fix: spark }
  if (version < 2)
    return {
      why: 'format version 1, which can be read but not changed',
      fix: `export to it once with --upgrade, or ${spark}`,
    }
  const equality = deleteFiles.find(({ dataFile }) => dataFile.content === fileContent.equalityDeletes)
  if (equality !== undefined)
    return {
      why: `equality deletes (${equality.dataFile.filePath}): whoever writes them may find their rows again`,
      fix: `${spark} while its writer rests`,
    }
  const nested = currentSchema(metadata).fields.find(({ type }) => !isWritable(type))
  if (nested !== undefined) {
    const { name, type } = nested
    return {
      why: `column ${name} of type ${typeof type === 'string' ? type : type.type}, which cannot be written`,
      fix: spark,
    }
  }
  return undefined
}

/** Values, or lists of values that may be NULL. */
const isWritable = (type: Type): boolean =>
  asColumnType(type) !== undefined &&
  (typeof type === 'string' || type.type !== 'list' || !type['element-required'])
