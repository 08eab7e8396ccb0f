import { mkdir, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { localError } from './local-errors.ts'
import { heartbeatMs, removeAbandoned, temporaryName } from './local-temp.ts'

/** A local folder for this run's intermediate files; a killed run's is removed by the next one in `parent`. */
export interface Scratch {
  readonly folder: string
  remove(): Promise<void>
}

/** Makes a folder of our own below `parent` (a path), after clearing what killed runs left there. */
export async function openScratch(parent: string): Promise<Scratch> {
  const folder = join(parent, await temporaryName())
  try {
    await mkdir(folder, { recursive: true })
    await removeAbandoned(dirname(folder), (await stat(folder)).ctimeMs)
  } catch (error) {
    throw localError(error, 'write', folder)
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
