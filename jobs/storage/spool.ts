import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { localError } from './local/errors.ts'
import { openScratch } from './scratch.ts'

/**
 * Records by name, kept in one local file until all are there: however many names, one file is open, and of a record only
 * its position and length are in memory. One `add` at a time.
 */
export interface Spool {
  /** The names, in the order in which they first came. */
  readonly names: () => readonly string[]
  /**
   * Adds a record: what is plain data is copied into it (`value`), then `blocks`, whose bytes follow each other. Errors: a
   * `JobError` that names the file, e.g. when the disk is full.
   */
  readonly add: (name: string, value: unknown, blocks?: readonly Uint8Array[]) => Promise<void>
  /** Those of a name, in the order in which they came, one in memory at a time. */
  readonly records: (name: string) => AsyncIterable<SpooledRecord>
  readonly remove: () => Promise<void>
}

export interface SpooledRecord {
  readonly value: unknown
  /** The bytes of all blocks, in memory of their own together with the value's. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a handle can of it, so that a test can write less than it was told to, as a file system may. */
export interface SpoolFile {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

/**
 * A spool below `parent`, a path. Its file has no name as soon as it is open, so that nothing of it stays however the run
 * ends; its space is given back with it.
 */
export async function openSpool(parent: string): Promise<Spool> {
  const scratch = await openScratch(parent)
  const path = join(scratch.folder, 'spool')
  try {
    const file = await open(path, 'wx+').catch((error: unknown) => {
      throw localError(error, 'write', path)
    })
    return spoolOver(file, path)
  } finally {
    await scratch.remove()
  }
}

/** A record's position, its length and that of its value, in `places`. */
const perRecord = 3

/** Records up to this are written in one call: below, a call costs more than a copy. */
const joinedBytes = 1 << 18

/** A spool over an open file that is empty; `path` is for messages. */
export function spoolOver(file: SpoolFile, path: string): Spool {
  const places = new Map<string, number[]>()
  let end = 0

  /** A write may take less than it is given: a disk that fills up, a signal. */
  const append = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, at, bytes.length - at, end)
      at += bytesWritten
      end += bytesWritten
    }
  }
  const readAt = async (position: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const { bytesRead } = await file.read(bytes, at, length - at, position + at)
      if (bytesRead === 0) throw new Error(`${path} is shorter than what was written to it`)
      at += bytesRead
    }
    return bytes
  }
  return {
    names: () => [...places.keys()],
    async add(name, value, blocks = []) {
      const head = serialize(value)
      const position = end
      try {
        const parts = [head, ...blocks]
        const length = parts.reduce((sum, bytes) => sum + bytes.length, 0)
        for (const bytes of length <= joinedBytes ? [Buffer.concat(parts, length)] : parts)
          await append(bytes)
      } catch (error) {
        throw localError(error, 'write', path)
      }
      const own = places.get(name) ?? []
      own.push(position, end - position, head.length)
      places.set(name, own)
    },
    async *records(name) {
      const own = places.get(name) ?? []
      for (let i = 0; i < own.length; i += perRecord) {
        const bytes = await readAt(own[i]!, own[i + 1]!)
        const headLength = own[i + 2]!
        yield { value: deserialize(bytes.subarray(0, headLength)), bytes: bytes.subarray(headLength) }
      }
    },
    remove: () => file.close().catch(() => undefined),
  }
}
