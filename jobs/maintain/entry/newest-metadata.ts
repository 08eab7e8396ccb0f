import { asError, dataError, listed, shellWord } from '../../errors.ts'
import { readMetadataFile } from '../../iceberg/catalog/stored/metadata-file.ts'
import type { TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { createLocationSet } from '../../lake/location-set.ts'
import { basename, placeText } from '../../storage/place.ts'
import type { FileIO } from '../../storage/file-io.ts'

/** A metadata file, and what is in it. */
export interface FoundMetadata {
  readonly location: string
  /** By its name: `00012-…`, `v12…`; -1: the name tells none. */
  readonly version: number
  readonly metadata: TableMetadata
}

/** A table below a folder: its newest metadata, and newest ones of other histories, which no commit came upon. */
export interface FoundTable extends FoundMetadata {
  readonly forks: readonly FoundMetadata[]
}

const metadataName = /^(?:(\d+)-.*|v(\d+))(?:\.gz)?\.metadata\.json(?:\.gz)?$/

/** By the name of a metadata file; undefined: it is none. */
export function versionOf(location: string): number | undefined {
  const name = basename(location)
  if (!/\.metadata\.json(\.gz)?$/.test(name)) return undefined
  const [, dashed, plain] = metadataName.exec(name) ?? []
  return Number(dashed ?? plain ?? -1)
}

/**
 * The tables below a folder by their uuids, each with its newest metadata file: of those that no other file has in its log the
 * one of the highest version. Only files are read that none has in its log that was read before. Errors: `JobError` data, where
 * two are as new, and where none can be read.
 */
export async function newestMetadata(io: FileIO, folder: string): Promise<FoundTable[]> {
  const files: { readonly location: string; readonly version: number }[] = []
  for await (const { location } of io.list(folder)) {
    const version = versionOf(location)
    if (version !== undefined) files.push({ location, version })
  }
  const { tips, unreadable } = await readTips(io, files)
  const tables = new Map<string, FoundMetadata[]>()
  for (const tip of tips) {
    const uuid = tip.metadata['table-uuid']
    tables.set(uuid, [...(tables.get(uuid) ?? []), tip])
  }
  if (tables.size === 0)
    throw dataError(
      unreadable.length > 0
        ? `no metadata file below ${folder} can be read: ${unreadable[0]}`
        : `there is no metadata file (*.metadata.json) below ${folder}`,
      { field: '--scan', fix: 'give the folder of the table, or the file itself with --metadata' },
    )
  return [...tables.values()].map(([newest, ...forks]) => {
    const [second] = forks
    if (second?.version === newest!.version)
      throw dataError(
        `two metadata files of table ${newest!.metadata['table-uuid']} are as new: ${newest!.location} and ${second.location}`,
        { field: '--scan', fix: 'look into both, and give the right one with --metadata' },
      )
    return { ...newest!, forks }
  })
}

/** Those that are in the log of no other one, of the highest version first. */
export async function readTips(
  io: FileIO,
  files: readonly { readonly location: string; readonly version: number }[],
): Promise<{ readonly tips: FoundMetadata[]; readonly unreadable: string[] }> {
  const logged = createLocationSet()
  const read: FoundMetadata[] = []
  const unreadable: string[] = []
  for (const { location, version } of files.toSorted((a, b) => b.version - a.version)) {
    if (logged.has(location)) continue
    try {
      const metadata = await readMetadataFile(io, location)
      read.push({ location, version, metadata })
      for (const entry of metadata['metadata-log']) logged.add(entry['metadata-file'])
    } catch (error) {
      unreadable.push(asError(error).message)
    }
  }
  return { tips: read.filter(({ location }) => !logged.has(location)), unreadable }
}

/** For messages: `uuid at location (file)`. */
export const foundText = (tables: readonly FoundTable[]): string =>
  listed(
    tables.map(
      ({ metadata, location }) => `${metadata.location}: --metadata ${shellWord(placeText(location))}`,
    ),
  )
