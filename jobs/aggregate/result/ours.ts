import { lstat } from 'node:fs/promises'
import { usageError } from '../../errors.ts'
import { FileNotFound } from '../../storage/errors.ts'
import type { FileIO } from '../../storage/file-io.ts'

/**
 * Throws a `usageError` unless a run may replace or remove what is at `location`: nothing, an empty file, or one that
 * starts with `firstLine`, as all of ours of that kind do. Logs, results and rejects have the same names, so a wrong folder
 * would cost somebody's data. A symbolic link is nobody's to replace: a file would stand where it pointed elsewhere.
 */
export async function assertOurs(
  io: FileIO,
  location: string,
  { firstLine, field }: { readonly firstLine: Uint8Array; readonly field: string },
): Promise<void> {
  const path = io.scheme === 'file' ? io.localPath(location) : undefined
  if (path !== undefined && (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true) {
    throw usageError(`${location} is a symbolic link`, {
      field,
      fix: 'remove the link, or give the folder that it leads to',
    })
  }
  const start = await startOf(io, location, firstLine.length)
  if (start.length === 0 || start.equals(firstLine)) return
  throw usageError(`${location} is there and none of lakejobs' files`, {
    field,
    fix: 'give another folder, or move that file away: it would be replaced',
  })
}

/** The first `length` bytes of the file at `location`; none when there is no file. */
async function startOf(io: FileIO, location: string, length: number): Promise<Buffer> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of (await io.stream(location, { start: 0, end: length })) as AsyncIterable<Buffer>)
      chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof FileNotFound) return Buffer.alloc(0)
    throw error
  }
}
