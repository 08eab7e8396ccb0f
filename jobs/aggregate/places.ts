import { realpath } from 'node:fs/promises'
import { usageError } from '../errors.ts'
import type { FileIO } from '../storage/file-io.ts'
import { sweepAbandoned } from '../storage/local/temporary.ts'
import { join } from '../storage/place.ts'

export interface Places {
  readonly input: string
  readonly output: string
  readonly rejects: string
}

/**
 * Throws a `usageError` unless logs, results and rejects have a folder each: all three are named `YYYY-MM-DD.csv`, so
 * that a result would replace the log that it was made from. Links are followed.
 */
export async function checkPlaces(
  { input, output, rejects }: Places,
  stores: { readonly input: FileIO; readonly output: FileIO },
): Promise<void> {
  const places = [
    ['--input', await resolved(stores.input, input)],
    ['--output', await resolved(stores.output, output)],
    ['--rejects', await resolved(stores.output, rejects)],
  ] as const
  for (const [index, [field, place]] of places.entries()) {
    const other = places.slice(0, index).find(([, earlier]) => earlier === place)
    if (other === undefined) continue
    throw usageError(`${other[0]} and ${field} are the same folder: ${place}`, {
      field,
      fix: 'give another folder: its files would replace those of the same name',
    })
  }
}

/** Where a place really is; one that does not exist yet is nowhere else. */
async function resolved(io: FileIO, place: string): Promise<string> {
  const path = io.scheme === 'file' ? io.localPath(place) : undefined
  if (path === undefined) return place
  return `file://${await realpath(path).catch(() => path)}`
}

/**
 * Removes what killed runs left in any folder that runs write to: a store sweeps only the folders that this run wrote to.
 */
export async function sweepPlaces(
  { output, rejects, cache }: Pick<Places, 'output' | 'rejects'> & { readonly cache: string },
  stores: { readonly output: FileIO; readonly cache: FileIO },
): Promise<void> {
  const folders = [
    [stores.cache, cache, 1],
    [stores.output, output, 0],
    [stores.output, join(output, '.lakejobs'), 0],
    [stores.output, rejects, 0],
  ] as const
  for (const [io, place, depth] of folders) {
    const path = io.scheme === 'file' ? io.localPath(place) : undefined
    if (path !== undefined) await sweepAbandoned(path, depth)
  }
}
