import { mapConcurrently } from '../../concurrency.ts'
import { dataError } from '../../errors.ts'
import { readMetadataFile } from '../../iceberg/catalog/stored/metadata-file.ts'
import type { TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { locationKey } from '../../lake/location-set.ts'
import { metadataFiles, type ReachableFile, type ReachableTable } from '../../lake/reachable.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { outermost } from '../listing.ts'
import {
  anyInside,
  entryText,
  isInsideAny,
  ownFolders,
  wayOut,
  type Neighbour,
  type Neighbourhood,
} from '../ownership.ts'
import { removeFiles, type Removed } from '../remove-files.ts'
import { createTally, type Tally } from '../tally.ts'
import { createWalk, type Walk } from '../walk.ts'

/** What came of a table's files. */
export interface Purged {
  /** In the order in which they went; a stage that left files is the last one. */
  readonly stages: readonly Removed[]
  /** Why none were removed: others have theirs in the folders. */
  readonly whyNot: string | undefined
  /** What other entries need of what is in the folders, and which. */
  readonly others: { readonly files: Tally; readonly names: readonly string[] }
  /** What is in the folders besides, and nobody needs. */
  readonly unneeded: Tally
  /** Manifests and their lists that are not there. */
  readonly missing: readonly string[]
}

const readAtOnce = 8

/**
 * Removes every file that a table needs, in its folders, and no entry of any catalog name: data and delete files first, then
 * manifests, their lists with old metadata files, and at last the newest metadata file, each only when all before it are gone, so that a
 * run that was killed or refused can be repeated. Nothing goes where another entry lies in the table's folders. With `dryRun`
 * it counts the same files. `identifier`: of the table's entry, as long as there is one. Errors: `JobError` data, where it cannot be told
 * what another entry needs.
 */
export async function purge(
  table: ReachableTable,
  identifier: TableIdentifier | undefined,
  neighbours: Neighbourhood,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Purged> {
  const folders = ownFolders(table.metadata)
  const all = await neighbours({ io: table.io, ...(identifier !== undefined && { identifier }) })
  // A note of it that is left from before it was registered again is none of another table.
  const own = [...metadataFiles(table)].map(({ location }) => location)
  const others = all.filter(
    ({ forgotten, entry }) =>
      forgotten === undefined || !own.includes(canonicalLocation(entry.metadataLocation)),
  )
  const inside = others.find((one) => anyInside(one.folders, folders))
  const whyNot = inside && `${entryText(inside.entry)} has its files in the same folders`
  const walk = createWalk()
  const [shared, names] = [createTally(), new Set<string>()]
  for (const other of others)
    if (!other.entry.isView)
      await walkOther(other, table, walk, (file) => {
        if (!isInsideAny(file.location, folders)) return
        shared.add(file)
        names.add(entryText(other.entry))
      })
  const missing: string[] = []
  const later: ReachableFile[][] = [[], [], []]
  const isOurs = ({ location }: ReachableFile): boolean =>
    whyNot === undefined && isInsideAny(location, folders)
  const data = async function* (): AsyncGenerator<ReachableFile> {
    for await (const file of walk.allOf(table, (location) => missing.push(location))) {
      const stage = stageOf(file, table)
      if (stage === 0) yield file
      else later[stage - 1]!.push(file)
    }
  }
  const how = { dryRun, signal }
  const stages = [await removeFiles(table.io, data(), isOurs, how)]
  for (const files of later) {
    if (stages.at(-1)!.failures.length > 0) break
    stages.push(await removeFiles(table.io, sized(table, files), isOurs, how))
  }
  const unneeded = createTally()
  if (whyNot === undefined)
    for (const { location: folder } of outermost(
      folders.map((location) => ({ location, isMetadata: false })),
    ))
      for await (const { location, size } of table.io.list(folder)) {
        signal.throwIfAborted()
        if (!walk.needs(location)) unneeded.add({ kind: 'data', size })
      }
  return { stages, whyNot, others: { files: shared, names: [...names] }, unneeded, missing }
}

/** When a file goes: what tells of others after them. */
function stageOf({ kind, location }: ReachableFile, { metadataLocation }: ReachableTable): number {
  if (kind === 'manifest') return 1
  if (kind === 'manifest-list') return 2
  if (kind !== 'metadata') return kind === 'version-hint' ? 2 : 0
  return metadataLocation !== undefined && locationKey(location) === locationKey(metadataLocation) ? 3 : 2
}

async function walkOther(
  other: Neighbour,
  { io }: ReachableTable,
  walk: Walk,
  each: (file: ReachableFile) => void,
): Promise<void> {
  const { entry } = other
  const metadata = await readMetadataFile(io, entry.metadataLocation).catch((error: unknown) => {
    throw dataError(`${entryText(entry)} may need some of the files, and its metadata cannot be read`, {
      field: entryText(entry),
      fix: `mend it; if it is lost, ${wayOut(other)}; or drop without --purge`,
      cause: error,
    })
  })
  await walk.through({ metadata, metadataLocation: entry.metadataLocation, io }, metadata.snapshots, each)
}

/** Nothing else tells the size of a metadata file, and whether it is still there. */
async function* sized(
  { io }: ReachableTable,
  files: readonly ReachableFile[],
): AsyncGenerator<ReachableFile> {
  const statsAtOnce = 16
  for (let at = 0; at < files.length; at += statsAtOnce)
    for (const file of await mapConcurrently(files.slice(at, at + statsAtOnce), readAtOnce, async (one) => {
      const size = one.size ?? (await io.stat(one.location))?.size
      return size === undefined ? undefined : { ...one, size }
    }))
      if (file !== undefined) yield file
}
