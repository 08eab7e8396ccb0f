import { mapConcurrently } from '../concurrency.ts'
import type { JobContext } from '../context.ts'
import { dataError, listed } from '../errors.ts'
import { tableText, type Table } from '../iceberg/catalog/catalog.ts'
import { readMetadataFile } from '../iceberg/catalog/stored/metadata-file.ts'
import { ValidationError } from '../iceberg/errors.ts'
import { dataFolder, metadataFolder } from '../iceberg/metadata/locations.ts'
import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import { folderKey, locationKey } from '../lake/location-set.ts'
import type { ReachableFile } from '../lake/reachable.ts'
import { FileNotFound } from '../storage/errors.ts'
import { canonicalLocation } from '../storage/place.ts'
import type { Maintained } from '../summary.ts'
import type { MaintainStores } from './expire.ts'
import { forgottenProperty, forgottenTables } from './forgotten.ts'
import { listFolders, outermost, type ListedFile, type ListedFolder } from './listing.ts'
import { walkNewer } from './newer-metadata.ts'
import { entryText, isInsideAny, overlap } from './ownership.ts'
import { removeFiles } from './remove-files.ts'
import { filesOfOthers } from './strays.ts'
import { createTally, kindSummaries, total } from './tally.ts'
import { findUploads, removeUploads } from './uploads.ts'
import { createWalk, type Walk } from './walk.ts'

export interface OrphanOptions {
  /** Files that are younger are left alone; milliseconds. */
  readonly ageMs: number
  /** The share of the folders' bytes that may go at most, 0 to 1. */
  readonly maxShare: number
  /** Otherwise it only reports. */
  readonly isDelete: boolean
}

const readAtOnce = 8

/**
 * Removes files in the table's folders that nothing refers to (lake-spec §4.6): what killed runs and lost commits left. It
 * lists first, and then goes through what every table needs whose folders overlap, until no pointer moves any more. A file that
 * is needed and was not listed means that the two cannot be compared: then nothing is removed. Unfinished writes of that age go
 * with it. Errors: `JobError` data, for what refuses it; the store's.
 */
export async function removeOrphans(
  loaded: Table,
  { ageMs, maxShare, isDelete }: OrphanOptions,
  stores: MaintainStores,
  { signal, now }: JobContext,
): Promise<Maintained> {
  const { io } = loaded
  const name = tableText(loaded.identifier)
  const folders = await foldersOf(loaded)
  const places = folders.map(({ location }) => location)
  const startedMs = Math.min(...(await Promise.all(places.map((place) => io.now(place)))))
  const cutoffMs = Math.min(startedMs, now().getTime()) - ageMs
  const listing = await listFolders(io, folders, cutoffMs, signal)

  const walk = createWalk()
  const keys = places.map((place) => `${folderKey(place)}/`)
  const isBelow = (location: string): boolean => {
    const key = locationKey(location)
    return keys.some((folder) => key.startsWith(folder))
  }
  const assertListed = async ({ kind, location }: ReachableFile): Promise<void> => {
    // Old metadata files may be removed by whoever trims them.
    if (kind === 'metadata' || kind === 'version-hint') return
    if (!isBelow(location) || listing.listed.has(location)) return
    const found = await io.stat(location)
    if (found !== undefined && found.modifiedMs >= startedMs - clockGrain) return
    throw dataError(
      `orphans of ${name} cannot be told: ${location} is needed and ${found === undefined ? 'is not there' : 'was not listed'}`,
      {
        field: name,
        fix:
          found === undefined
            ? 'bring the file back, or roll the table back to a snapshot without it'
            : 'mend the listing of the store; nothing was removed',
      },
    )
  }
  const { views, uuids, latest } = await walkAll(loaded, places, walk, stores, assertListed)
  await assertNoneForgotten(latest, uuids, places, stores)

  const isLoose = ({ location }: ListedFile): boolean =>
    !walk.needs(location) && !isInsideAny(location, views)
  // No table's manifests are read for nothing.
  const others = listing.files.some((file) => isOrphan(file) && !file.isYoung && isLoose(file))
    ? await filesOfOthers(await stores.neighbours(latest), places)
    : undefined
  const isOthers = ({ location }: ListedFile): boolean =>
    others?.unknown === undefined && others?.needs(location) === true
  const isUnneeded = (file: ListedFile): boolean => isLoose(file) && !isOthers(file)
  const newer = await walkNewer(latest, listing.files.filter(isUnneeded), walk)
  const unneeded = listing.files.filter(isUnneeded)
  const foreign = unneeded.filter(({ kind }) => kind === undefined)
  const orphans = unneeded.filter(isOrphan)
  const old = orphans.filter(({ isYoung }) => !isYoung)
  const young = createTally()
  for (const file of orphans) if (file.isYoung) young.add(file)
  const refusal = others?.unknown ?? refusalOf(loaded.metadata, old, listing.bytes, maxShare)
  if (refusal !== undefined && isDelete)
    throw dataError(`orphans of ${name} stay: ${refusal.why}`, { field: name, fix: refusal.fix })

  const how = { dryRun: !isDelete, signal }
  // Whoever may not list them is told before anything is removed.
  const begunUploads = await findUploads(io, places, cutoffMs, signal)
  const removed = await removeFiles(io, asReachable(old), () => true, how)
  const uploads = await removeUploads(io, begunUploads, how)
  const errors = [...removed.failures, ...uploads.failures]
  const theirs = listing.files.filter((file) => isLoose(file) && isOthers(file))
  const left = [
    {
      files: foreign.length,
      bytes: bytesOf(foreign),
      reason: 'no writer of Iceberg gives such names',
      examples: foreign.slice(0, mostExamples).map(({ location }) => location),
    },
    { ...total(young), reason: 'younger than --orphan-age' },
    { files: theirs.length, bytes: bytesOf(theirs), reason: `needed by ${listed(others?.names ?? [])}` },
    {
      files: newer.files,
      bytes: newer.bytes,
      reason:
        'of metadata that the catalog does not have: if it was restored from a backup, forget the table and register the newest; else a later commit lets them go',
      examples: newer.tips.slice(0, mostExamples),
    },
    { ...uploads.left, reason: 'unfinished uploads, younger than --orphan-age' },
  ].filter(({ files }) => files > 0)
  const begun = {
    files: uploads.freed.files + uploads.left.files,
    bytes: uploads.freed.bytes + uploads.left.bytes,
  }
  return {
    operation: 'orphans',
    dryRun: !isDelete,
    files: [
      ...kindSummaries(removed.freed, [walk.needed, young, removed.failed]),
      ...(begun.files > 0
        ? [{ kind: 'upload', before: begun, after: uploads.left, freed: uploads.freed }]
        : []),
    ],
    ...(removed.hidden > 0 && { hidden: removed.hidden }),
    ...(left.length > 0 && { leftAlone: left }),
    ...(refusal !== undefined && { refused: `${refusal.why}: ${refusal.fix}` }),
    ...(errors.length > 0 && { notRemoved: { ...total(removed.failed), errors } }),
  }
}

const mostExamples = 3

type Orphan = ListedFile & Pick<ReachableFile, 'kind'>

const isOrphan = (file: ListedFile): file is Orphan => file.kind !== undefined

const bytesOf = (files: readonly ListedFile[]): number => files.reduce((sum, { size }) => sum + size, 0)

/** Stores date to the second. */
const clockGrain = 1000

async function* asReachable(files: readonly Orphan[]): AsyncGenerator<ReachableFile> {
  await Promise.resolve()
  for (const { kind, location, size } of files) yield { kind, location, size, snapshot: undefined }
}

/** `data/` and `metadata/` of the location, and where properties put them, now and in every metadata file of the log. */
async function foldersOf({ metadata, io }: Table): Promise<ListedFolder[]> {
  const before = await mapConcurrently(metadata['metadata-log'], readAtOnce, async (entry) =>
    readMetadataFile(io, entry['metadata-file']).catch((error: unknown) => {
      if (error instanceof FileNotFound) return undefined
      throw error
    }),
  )
  const all = [metadata, ...before.filter((one): one is TableMetadata => one !== undefined)]
  const folders = all.flatMap((one): ListedFolder[] => {
    const usual = { location: one.location, properties: {} }
    return [
      { location: dataFolder(usual), isMetadata: false },
      { location: dataFolder(one), isMetadata: false },
      { location: metadataFolder(usual), isMetadata: true },
      { location: metadataFolder(one), isMetadata: true },
    ]
  })
  return outermost(folders.map((folder) => ({ ...folder, location: canonicalLocation(folder.location) })))
}

/**
 * Goes through everything that the table and all whose folders overlap need, from the pointers that the catalog has now, until
 * they stay. Returns the table as it is then, their uuids, and the folders of views among them, which are not looked into. Errors: `JobError` data, where that of one of
 * them cannot be told.
 */
async function walkAll(
  loaded: Table,
  places: readonly string[],
  walk: Walk,
  { catalog, neighbours }: MaintainStores,
  each: (file: ReachableFile) => Promise<void>,
): Promise<{
  readonly views: readonly string[]
  readonly uuids: ReadonlySet<string>
  readonly latest: Table
}> {
  const uuids = new Set([loaded.metadata['table-uuid']])
  const walked = new Set<string>()
  const views = new Set<string>()
  for (;;) {
    const current = await catalog.load(loaded.identifier)
    if (current.metadata['table-uuid'] !== loaded.metadata['table-uuid'])
      throw new ValidationError(
        tableText(loaded.identifier),
        'the table was replaced by another one of its name',
      )
    const others = (await neighbours(current)).filter(
      ({ forgotten, folders }) => forgotten === undefined && overlap(places, folders),
    )
    const pointers = [current.metadataLocation!, ...others.map(({ entry }) => entry.metadataLocation)]
    const fresh = pointers.filter((pointer) => !walked.has(pointer))
    if (fresh.length === 0) return { views: [...views], uuids, latest: current }
    await walk.through(current, current.metadata.snapshots, each)
    for (const { entry, folders } of others.filter(({ entry }) => fresh.includes(entry.metadataLocation))) {
      if (entry.isView) for (const folder of folders) views.add(folder)
      else {
        const metadata = await readMetadataFile(current.io, entry.metadataLocation).catch(
          (error: unknown) => {
            throw dataError(`${entryText(entry)} lies in the same folders, and its metadata cannot be read`, {
              field: entryText(entry),
              fix: 'mend or drop that entry first',
              cause: error,
            })
          },
        )
        const table = { metadata, metadataLocation: entry.metadataLocation, io: current.io }
        uuids.add(metadata['table-uuid'])
        await walk.through(table, metadata.snapshots, each)
      }
    }
    for (const pointer of fresh) walked.add(pointer)
  }
}

/** What is forgotten has no entry, unless it was registered since, and all of its files look like orphans. */
async function assertNoneForgotten(
  table: Table,
  uuids: ReadonlySet<string>,
  places: readonly string[],
  { catalog, neighbours }: MaintainStores,
): Promise<void> {
  const name = tableText(table.identifier)
  const known = (await neighbours(table)).find((one) => one.forgotten && overlap(places, one.folders))
  // Of one whose metadata is gone its location is known, and whether it was registered since by its uuid.
  const forgotten =
    known?.forgotten ??
    (await forgottenTables(catalog)).find(
      ({ uuid, location }) => !uuids.has(uuid) && overlap(places, [location]),
    )
  if (forgotten === undefined) return
  const property = `the namespace property ${forgottenProperty(forgotten.uuid)}`
  throw dataError(
    `orphans of ${name} cannot be told: a table that was forgotten lies at ${forgotten.location}, in the same folders`,
    {
      field: name,
      // Its files may be those of the table that is there.
      fix: uuids.has(forgotten.uuid)
        ? `it has the table-uuid of one that is there: if it was registered again, remove ${property}`
        : `register it again, or remove its files and ${property}`,
    },
  )
}

/** Why orphans must not be removed, though they can be told. */
function refusalOf(
  { properties }: TableMetadata,
  orphans: readonly ListedFile[],
  all: number,
  maxShare: number,
): { readonly why: string; readonly fix: string } | undefined {
  if (properties['gc.enabled']?.toLowerCase() === 'false')
    return {
      why: 'gc.enabled is false',
      fix: 'remove that property if no other table has files of this one',
    }
  const share = all === 0 ? 0 : bytesOf(orphans) / all
  if (share <= maxShare) return undefined
  const percent = Math.min(100, Math.ceil(100 * share))
  return {
    why: `${orphans.length} files are ${percent} % of the folders’ bytes, more than --max-orphans ${Math.round(100 * maxShare)}%`,
    fix: `look at them without --delete (a first load that was killed is all there is); then allow it with --max-orphans ${percent}%`,
  }
}
