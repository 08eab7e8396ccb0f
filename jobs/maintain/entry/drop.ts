import type { JobContext } from '../../context.ts'
import { dataError, listed, shellWord } from '../../errors.ts'
import { tableText, type Catalog, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { readMetadataFile } from '../../iceberg/catalog/stored/metadata-file.ts'
import { CommitFailedError, MetadataMissingError, NoSuchTableError } from '../../iceberg/errors.ts'
import type { ReachableTable } from '../../lake/reachable.ts'
import { FileNotFound } from '../../storage/errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { Maintained } from '../../summary.ts'
import { clearRecords, droppedProperty, entryNote, unfinishedDrop } from '../forgotten.ts'
import type { Neighbourhood } from '../ownership.ts'
import { kindSummaries, sumOf, total } from '../tally.ts'
import { forgetTable } from './forget.ts'
import { purge, type Purged } from './purge.ts'

export interface DropOptions {
  /** Whether the files go, too. */
  readonly isPurge: boolean
  readonly dryRun: boolean
  /** The store of a canonical location. */
  readonly openIO: (location: string) => Promise<FileIO>
}

type Dropped = Maintained & { readonly changes: readonly string[] }

const mostTries = 5

/**
 * Takes a table out of the catalog and, with `isPurge`, removes the files that it needs and no other entry does (lake-spec
 * §4.3, §4.8). First it is noted in the namespace what is being dropped; then the entry goes, only while its pointer is the one
 * that was planned for; then, after another look at who else is there, the files. Killed at any point, a second run finds the
 * entry or the note and goes on; an outcome that is not known removes nothing. Files stay where `gc.enabled` is false, and where
 * another entry lies in the folders. Errors: `JobError` data, before anything is changed, where nobody can tell what is needed;
 * `NoSuchTableError`; `CommitFailedError`; `CommitStateUnknownError`.
 */
export async function dropTable(
  identifier: TableIdentifier,
  { isPurge, dryRun, openIO }: DropOptions,
  { catalog, neighbours }: { readonly catalog: Catalog; readonly neighbours: Neighbourhood },
  { signal }: Pick<JobContext, 'signal'>,
): Promise<Dropped> {
  const name = tableText(identifier)
  const entryOnly = async (...why: string[]): Promise<Dropped> => ({
    operation: 'drop',
    dryRun,
    files: [],
    changes: [...why, ...(await forgetTable(identifier, dryRun, catalog))],
  })
  if (!isPurge) return entryOnly()
  for (let tries = 1; ; tries++) {
    const { table, isUnfinished } = await findTable(identifier, catalog, openIO)
    const { metadata, metadataLocation } = table
    const own = isUnfinished ? undefined : identifier
    if (!isUnfinished && metadata.properties['gc.enabled']?.toLowerCase() === 'false')
      return entryOnly('gc.enabled is false: the files may be other tables’, too')
    const planned = await purge(table, own, neighbours, { dryRun: true, signal })
    if (!isUnfinished) assertTold(name, planned)
    const changes = [
      isUnfinished
        ? 'the entry is gone: an earlier run of this drop ended before all files were removed'
        : `the entry goes, with ${metadata.snapshots.length === 1 ? '1 snapshot' : `${metadata.snapshots.length} snapshots`}`,
    ]
    if (dryRun) return summarise(planned, dryRun, changes)
    if (!isUnfinished) {
      signal.throwIfAborted()
      const note = {
        [droppedProperty(metadata['table-uuid'])]: entryNote(identifier.name, metadataLocation),
      }
      await catalog.updateNamespace(identifier.namespace, note, [])
      try {
        await catalog.drop(identifier, metadataLocation)
      } catch (error) {
        if (error instanceof CommitFailedError && tries < mostTries) continue
        throw error
      }
    }
    const done = await purge(table, undefined, neighbours, { dryRun, signal })
    // What could not be removed is found by the note.
    if (done.stages.every(({ failures }) => failures.length === 0))
      await clearRecords(catalog, metadata, 'here')
    return summarise(done, dryRun, changes)
  }
}

interface FoundTable {
  readonly table: ReachableTable & { readonly metadataLocation: string }
  /** An earlier run has taken its entry away. */
  readonly isUnfinished: boolean
}

async function findTable(
  identifier: TableIdentifier,
  catalog: Catalog,
  openIO: (location: string) => Promise<FileIO>,
): Promise<FoundTable> {
  try {
    const table = await catalog.load(identifier)
    return { table: { ...table, metadataLocation: table.metadataLocation! }, isUnfinished: false }
  } catch (error) {
    if (error instanceof MetadataMissingError)
      throw dataError(`${error.message}: what the table needs cannot be told`, {
        field: tableText(identifier),
        fix: `take its entry out with lakejobs maintain forget --table ${shellWord(tableText(identifier))}`,
        cause: error,
      })
    if (!(error instanceof NoSuchTableError)) throw error
    const unfinished = await unfinishedDrop(catalog, identifier)
    if (unfinished === undefined) throw error
    const { metadataLocation, key } = unfinished
    const io = await openIO(canonicalLocation(metadataLocation))
    const metadata = await readMetadataFile(io, metadataLocation).catch(async (missing: unknown) => {
      if (!(missing instanceof FileNotFound)) throw missing
      // It goes last: all others are gone.
      await catalog.updateNamespace(identifier.namespace, {}, [key])
      throw error
    })
    return { table: { metadata, metadataLocation, io }, isUnfinished: true }
  }
}

function assertTold(name: string, { missing: [missing] }: Purged): void {
  if (missing === undefined) return
  throw dataError(`what table ${name} needs cannot be told: ${missing} is not there`, {
    field: name,
    fix: 'bring the file back; or drop the table without --purge and remove its folder yourself',
  })
}

function summarise(
  { stages, whyNot, others, unneeded }: Purged,
  dryRun: boolean,
  changes: readonly string[],
): Dropped {
  const freed = sumOf(stages.map((stage) => stage.freed))
  const left = sumOf(stages.map((stage) => stage.leftAlone))
  const failed = sumOf(stages.map((stage) => stage.failed))
  const hidden = stages.reduce((sum, stage) => sum + stage.hidden, 0)
  const errors = stages.flatMap(({ failures }) => failures)
  const alone = [
    { ...total(others.files), reason: `needed by ${listed(others.names)}` },
    { ...total(left), reason: whyNot ?? 'outside of the table’s folders' },
    {
      ...total(unneeded),
      reason: 'in the folders, and no snapshot needed them: they can be removed by hand',
    },
  ].filter(({ files }) => files > 0)
  return {
    operation: 'drop',
    dryRun,
    files: kindSummaries(freed, [left, failed]),
    ...(hidden > 0 && { hidden }),
    ...(alone.length > 0 && { leftAlone: alone }),
    ...(errors.length > 0 && { notRemoved: { ...total(failed), errors } }),
    changes,
  }
}
