import type { JobContext } from '../../context.ts'
import { dataError, listed } from '../../errors.ts'
import { ensureNamespace } from '../../iceberg/catalog/ensure-namespace.ts'
import { isEntryOf, tableText, type Catalog, type TableIdentifier } from '../../iceberg/catalog/catalog.ts'
import { TableAlreadyExistsError } from '../../iceberg/errors.ts'
import { readMetadataFile } from '../../iceberg/catalog/stored/metadata-file.ts'
import { branchSnapshot, currentSchema, mainBranch } from '../../iceberg/metadata/metadata.ts'
import { assertReadableTable } from '../../lake/readable.ts'
import { FileNotFound } from '../../storage/errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { mapConcurrently } from '../../concurrency.ts'
import { clearRecords } from '../forgotten.ts'
import { entryText, isInsideAny, neighbourhood, overlap, ownFolders } from '../ownership.ts'
import { foundText, newestMetadata, versionOf, type FoundTable } from './newest-metadata.ts'
import { assertWhole } from './whole.ts'

/** Where a table's metadata is: a file, or the newest below a folder. */
export type RegisterFrom = { readonly metadata: string } | { readonly scan: string }

export interface RegisterOptions {
  readonly from: RegisterFrom
  readonly dryRun: boolean
  /** The store of a canonical location. */
  readonly openIO: (location: string) => Promise<FileIO>
}

/**
 * Makes an entry for a table whose files are there (lake-spec §4.8); phrases of what was found and looked at. Nothing is
 * changed where the name is taken, another entry (of any catalog name) has the table or lies in its folders, its version
 * cannot be read, or a file of a branch's or tag's newest snapshot is missing. Errors: `JobError` data or conflict for these.
 */
export async function registerTable(
  identifier: TableIdentifier,
  { from, dryRun, openIO }: RegisterOptions,
  catalog: Catalog,
  { logger }: Pick<JobContext, 'logger'>,
): Promise<string[]> {
  const name = tableText(identifier)
  if ((await catalog.entries()).some((entry) => isEntryOf(entry, catalog.name, identifier)))
    throw new TableAlreadyExistsError(name)
  const io = await openIO(canonicalLocation('scan' in from ? from.scan : from.metadata))
  const { location, version, metadata, forks } = await find(from, io)
  const head = branchSnapshot(metadata, mainBranch)
  assertReadableTable(name, metadata, head, currentSchema(metadata))
  const folders = ownFolders(metadata)
  if (!isInsideAny(location, folders))
    throw dataError(
      `${location} says that its table lies at ${metadata.location}: it is a copy, and its files are looked for there`,
      { field: '--metadata', fix: `bring the copy back to ${metadata.location}: the paths in it are whole` },
    )
  await assertUnknown(metadata['table-uuid'], folders, catalog, io)
  const table = { metadata, metadataLocation: location, io }
  const files = await assertWhole(name, table)
  if (!dryRun) {
    await ensureNamespace(catalog, identifier.namespace)
    await catalog.register(identifier, location)
    await clearRecords(catalog, metadata, 'everywhere')
    logger.info({ table: name, metadata: location }, 'registered')
  }
  return [
    `metadata ${location}`,
    `snapshot ${head === undefined ? 'none yet' : `${head['snapshot-id']} of ${new Date(head['timestamp-ms']).toISOString()}`}`,
    `checked: ${files} files of the newest snapshots of ${listed(Object.keys(metadata.refs)) || 'no branch'} are there; older snapshots and rows were not looked at`,
    ...('metadata' in from ? await newerThan(location, version, io) : []),
    ...forks.map((fork) => `left out: ${fork.location}, of a history that ends there`),
  ]
}

async function find(from: RegisterFrom, io: FileIO): Promise<FoundTable> {
  if ('metadata' in from) {
    const { metadata: location } = from
    const version = versionOf(location) ?? -1
    const metadata = await readMetadataFile(io, location).catch((error: unknown) => {
      if (!(error instanceof FileNotFound)) throw error
      throw dataError(`no such file: ${location}`, {
        field: '--metadata',
        fix: 'give the table’s newest *.metadata.json; --scan with its folder finds it',
        cause: error,
      })
    })
    return { location, version, metadata, forks: [] }
  }
  const [found, ...others] = await newestMetadata(io, from.scan)
  if (others.length === 0) return found!
  throw dataError(`there are ${others.length + 1} tables below ${from.scan}`, {
    field: '--scan',
    fix: `give the folder of one, or its file, of ${foundText([found!, ...others])}`,
  })
}

async function newerThan(location: string, version: number, io: FileIO): Promise<string[]> {
  const newer: string[] = []
  for await (const { location: other } of io.list(location.slice(0, location.lastIndexOf('/'))))
    if ((versionOf(other) ?? -1) > version) newer.push(other)
  return newer.length === 0 ? [] : [`newer metadata files are beside it: ${listed(newer.sort())}`]
}

const readAtOnce = 8

/** Errors: `JobError` data, where an entry has the table already, or files of another one are in its folders or around them. */
async function assertUnknown(
  uuid: string,
  folders: readonly string[],
  catalog: Catalog,
  io: FileIO,
): Promise<void> {
  const others = (await neighbourhood(catalog)({ io })).filter(({ forgotten }) => forgotten === undefined)
  await mapConcurrently(others, readAtOnce, async ({ entry, folders: theirs }) => {
    const is = entryText(entry)
    if (overlap(folders, theirs)) {
      const other = entry.isView
        ? undefined
        : await readMetadataFile(io, entry.metadataLocation).catch(() => undefined)
      throw dataError(
        other?.['table-uuid'] === uuid
          ? `${is} is this table already`
          : `${is} has files in the same folders: each would take the other’s for its own`,
        { field: '--table', fix: 'forget that entry first, or leave this table as it is' },
      )
    }
    if (entry.isView) return
    const other = await readMetadataFile(io, entry.metadataLocation).catch(() => undefined)
    if (other?.['table-uuid'] === uuid)
      throw dataError(`${is} has the same table-uuid ${uuid}`, {
        field: '--table',
        fix: 'forget that entry first, or leave this table as it is',
      })
  })
}
