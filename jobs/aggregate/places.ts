import { realpath } from 'node:fs/promises'
import { usageError } from '../errors.ts'
import type { FileIO } from '../storage/file-io.ts'

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
