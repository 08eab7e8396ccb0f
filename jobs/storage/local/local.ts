import type { BigIntStats } from 'node:fs'
import { link, open, opendir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { asError, systemCode } from '../../errors.ts'
import { deleteSingly } from '../delete-singly.ts'
import { FileChanged, FileExists, FileNotFound } from '../errors.ts'
import type { FileIO, FileStat } from '../file-io.ts'
import { localError } from './errors.ts'
import { makeFolders } from './make-folders.ts'
import { folderSyncs } from './sync-folder.ts'
import { heartbeatMs, isTemporary, removeAbandoned, temporaryName } from './temporary.ts'
import { outputFile, publishOver, writeWhole } from '../output-file.ts'

const streamBufferBytes = 1 << 20

/** So many bytes are brought to the disk while the next are written: the sync at the end has the others to do. */
const syncBytes = 16 * 2 ** 20

function pathOf(location: string): string {
  if (!location.startsWith('file:///')) throw new Error(`not a local location: ${location}`)
  return location.slice('file://'.length)
}

const isMissing = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(systemCode(thrown) ?? '')

function fileStat(location: string, inode: BigIntStats): FileStat {
  return {
    location,
    size: Number(inode.size),
    modifiedMs: Number(inode.mtimeMs),
    changedMs: Number(inode.ctimeMs),
    identity: [inode.dev, inode.ino, inode.size, inode.mtimeNs, inode.ctimeNs].join('-'),
  }
}

async function statOf(location: string): Promise<FileStat | undefined> {
  const path = pathOf(location)
  try {
    const inode = await stat(path, { bigint: true })
    return inode.isFile() ? fileStat(location, inode) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw localError(error, 'read', path)
  }
}

const folderOf = (prefix: string): string => pathOf(prefix).replace(/(?<=.)\/+$/, '')

function readError(error: unknown, location: string): Error {
  if (isMissing(error) || systemCode(error) === 'EISDIR') return new FileNotFound(location, error)
  return localError(error, 'read', pathOf(location))
}

async function streamOf(location: string, range?: { start: number; end: number }): Promise<Readable> {
  const handle = await open(pathOf(location), 'r').catch((error: unknown) => {
    throw readError(error, location)
  })
  const isFile = (await handle.stat()).isFile()
  if (!isFile || (range !== undefined && range.end <= range.start)) {
    await handle.close()
    if (!isFile) throw new FileNotFound(location)
    return Readable.from([])
  }
  return handle.createReadStream({
    highWaterMark: streamBufferBytes,
    ...(range === undefined ? {} : { start: range.start, end: range.end - 1 }),
  })
}

/**
 * Files below a folder, temporary ones or the others; symbolic links to files count, those to folders are not followed (they
 * may loop).
 */
async function* filesBelow(folder: string, temporary = false): AsyncGenerator<FileStat> {
  let entries
  try {
    entries = await opendir(folder)
  } catch (error) {
    if (isMissing(error)) return
    throw localError(error, 'list', folder)
  }
  for await (const entry of entries) {
    const path = folder === '/' ? `/${entry.name}` : `${folder}/${entry.name}`
    if (entry.isDirectory()) yield* filesBelow(path, temporary)
    else if ((entry.isFile() || entry.isSymbolicLink()) && isTemporary(entry.name) === temporary) {
      const found = await statOf(`file://${path}`)
      if (found !== undefined) yield found
    }
  }
}

/** False, and nothing is changed, where it lies on another file system, or on the same one mounted twice. */
async function isMoved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'EXDEV') return false
    throw error
  }
}

/**
 * Files on disk. A file is written under a hidden name in its own folder, synced (together with the names of the folders
 * made for it), renamed (linked for `ifAbsent`, which never replaces) and its folder synced. Parents are made; the umask
 * decides the permissions. What killed runs left in a folder is removed before the first write into it (temporary.ts).
 */
export function localFileIO(): FileIO {
  const swept = new Map<string, Promise<void>>()
  const syncs = folderSyncs()

  const makeFolder = async (folder: string): Promise<void> => {
    const firstMade = await makeFolders(folder)
    if (firstMade === undefined) return
    syncs.made(firstMade, folder)
    // Nobody has left anything in it.
    swept.set(folder, Promise.resolve())
  }

  const createFile: FileIO['create'] = async (location, options = {}) => {
    options.signal?.throwIfAborted()
    const path = pathOf(location)
    const folder = dirname(path)
    const failed = (error: unknown): Error => localError(error, 'write', path)
    await makeFolder(folder).catch((error: unknown) => {
      throw failed(error)
    })
    const temporary = `${folder}/${await temporaryName()}`
    const handle = await open(temporary, 'wx').catch((error: unknown) => {
      throw failed(error)
    })
    let beat: Promise<void> | undefined
    const heart = setInterval(() => {
      beat = handle.utimes(new Date(), new Date()).catch(() => undefined)
    }, heartbeatMs)
    heart.unref()
    let unsynced = 0
    let syncing: Promise<void> | undefined
    /** The kernel tells of a write that failed once: later syncs would not. */
    let notSynced: unknown
    const syncAhead = (written: number): void => {
      unsynced += written
      if (unsynced < syncBytes || syncing !== undefined) return
      unsynced = 0
      syncing = handle
        .datasync()
        .catch((error: unknown) => {
          notSynced ??= error
        })
        .finally(() => {
          syncing = undefined
        })
    }

    const file = outputFile(
      {
        async write(chunk) {
          try {
            for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten
            syncAhead(chunk.length)
          } catch (error) {
            throw failed(error)
          }
        },
        async publish(look) {
          try {
            clearInterval(heart)
            await beat
            await syncing
            if (notSynced !== undefined) throw asError(notSynced)
            await Promise.all([handle.sync(), syncs.parents(folder)])
            if (options.ifAbsent === true) {
              await link(temporary, path).catch((error: unknown) => {
                throw systemCode(error) === 'EEXIST' ? new FileExists(location, error) : error
              })
              await unlink(temporary)
            } else if (look === undefined) await rename(temporary, path)
            else {
              await publishOver(look, async (seen) => {
                if ((await statOf(location))?.identity !== seen) throw new FileChanged(location)
                await rename(temporary, path)
              })
            }
            await syncs.names(folder)
            const written = fileStat(location, await handle.stat({ bigint: true }))
            await handle.close()
            return written
          } catch (error) {
            throw failed(error)
          }
        },
        async discard() {
          clearInterval(heart)
          await handle.close().catch(() => undefined)
          await rm(temporary, { force: true })
        },
      },
      options.signal,
    )
    try {
      const sweep = swept.get(folder) ?? removeAbandoned(folder, (await handle.stat()).ctimeMs)
      swept.set(folder, sweep)
      await sweep
    } catch (error) {
      await file.abort()
      throw failed(error)
    }
    return file
  }

  const adopt = async (from: string, location: string): Promise<boolean> => {
    const path = pathOf(location)
    const folder = dirname(path)
    try {
      await makeFolder(folder)
      const temporary = `${folder}/${await temporaryName()}`
      if (!(await isMoved(from, temporary))) return false
      try {
        const handle = await open(temporary, 'r+')
        await Promise.all([handle.sync(), syncs.parents(folder)]).finally(() => handle.close())
        await rename(temporary, path)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
      await syncs.names(folder)
      return true
    } catch (error) {
      throw localError(error, 'write', path)
    }
  }

  const remove = async (location: string): Promise<void> => {
    const path = pathOf(location)
    await unlink(path).catch((error: unknown) => {
      if (!isMissing(error) && systemCode(error) !== 'EISDIR') throw localError(error, 'delete', path)
    })
  }

  return {
    scheme: 'file',
    stat: statOf,
    read: (location) =>
      readFile(pathOf(location)).catch((error: unknown) => {
        throw readError(error, location)
      }),
    stream: streamOf,
    write: (location, body, options) => writeWhole(createFile, location, body, options),
    create: createFile,
    delete: remove,
    deleteAll: (locations, signal) =>
      deleteSingly((location) => remove(location).then(() => false), locations, signal),
    adopt,
    list: (prefix) => filesBelow(folderOf(prefix)),
    async *unpublished(prefix) {
      for await (const { location, size, modifiedMs } of filesBelow(folderOf(prefix), true))
        yield { location, size, begunMs: modifiedMs, id: '' }
    },
    discard: ({ location }) => remove(location),
    now: () => Promise.resolve(Date.now()),
    localPath: pathOf,
  }
}
