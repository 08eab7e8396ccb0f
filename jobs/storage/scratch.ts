import { rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { JobError } from '../errors.ts'
import { localError } from './local/errors.ts'
import { makeFolders } from './local/make-folders.ts'
import { heartbeatMs, removeAbandoned, temporaryName } from './local/temporary.ts'

/** A finished file of a run, for itself alone. */
export interface LocalFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

/** A local folder for this run's intermediate files; a killed run's is removed by the next one in `parent`. */
export interface Scratch {
  readonly folder: string
  remove(): Promise<void>
}

/** The folder that was chosen, instead of ours with its random name, and how to choose another. */
function inScratch(thrown: unknown, parent: string): Error {
  const error = localError(thrown, 'write', parent)
  if (!(error instanceof JobError)) return error
  const fix = `${error.fix ?? ''} For temporary files --scratch (LAKEJOBS_SCRATCH) or TMPDIR names another one.`
  return new JobError(error.code, `temporary files: ${error.message}`, {
    field: '--scratch',
    fix,
    cause: thrown,
  })
}

/** Makes a folder of our own below `parent` (a path), after clearing what killed runs left there. */
export async function openScratch(parent: string): Promise<Scratch> {
  const folder = join(parent, await temporaryName())
  try {
    await makeFolders(folder)
    await removeAbandoned(dirname(folder), (await stat(folder)).ctimeMs)
  } catch (error) {
    throw inScratch(error, parent)
  }
  const heart = setInterval(() => {
    utimes(folder, new Date(), new Date()).catch(() => undefined)
  }, heartbeatMs)
  heart.unref()
  return {
    folder,
    async remove() {
      clearInterval(heart)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
