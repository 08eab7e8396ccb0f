import { open } from 'node:fs/promises'
import type { FileIO } from '../../storage/file-io.ts'
import { NotOurs } from './chunk-pages.ts'
import type { RowGroup } from './chunks.ts'

/** A row group, and its bytes of the file, from `offset` on. May be moved to another thread. */
export interface GroupBytes {
  readonly group: RowGroup
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly offset: number
}

/** Reads the row groups of one file, each in one piece. */
export interface GroupReader {
  /** Errors: `NotOurs` where the file does not have them; those of the store. */
  readonly read: (group: RowGroup) => Promise<GroupBytes>
  readonly close: () => Promise<void>
}

const startOf = ({ chunks }: RowGroup): number => Math.min(...chunks.map(({ start }) => start))
const endOf = ({ chunks }: RowGroup): number => Math.max(...chunks.map(({ end }) => end))
/** Bytes of a row group, from its first column to the end of its last. */
export const sizeOf = (group: RowGroup): number => endOf(group) - startOf(group)

/** `room`: memory for so many bytes. What of a file on disk is read while the processor has other work. */
export async function openGroups(
  io: FileIO,
  location: string,
  room: (size: number) => Uint8Array<ArrayBuffer>,
): Promise<GroupReader> {
  const path = io.localPath(location)
  if (path === undefined)
    return {
      read: async (group) => {
        const range = { start: startOf(group), end: endOf(group) }
        const bytes = room(sizeOf(group))
        let read = 0
        for await (const chunk of (await io.stream(location, range)) as AsyncIterable<Buffer>) {
          if (read + chunk.length > sizeOf(group)) throw new NotOurs('another range than was asked for')
          bytes.set(chunk, read)
          read += chunk.length
        }
        return whole(group, bytes.subarray(0, read))
      },
      close: () => Promise.resolve(),
    }
  const handle = await open(path, 'r')
  return {
    async read(group) {
      const size = sizeOf(group)
      const bytes = room(size)
      const { bytesRead } = await handle.read(bytes, 0, size, startOf(group))
      return whole(group, bytes.subarray(0, bytesRead))
    },
    close: () => handle.close(),
  }
}

function whole(group: RowGroup, bytes: Uint8Array<ArrayBuffer>): GroupBytes {
  if (bytes.length < sizeOf(group)) throw new NotOurs('the end of a file')
  return { group, bytes, offset: startOf(group) }
}
