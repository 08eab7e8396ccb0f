import { localFileIO } from '../../storage/local/local.ts'
import { basename } from '../../storage/place.ts'
import type { Reject } from '../log/reject.ts'
import { createRejectsWriter, type RejectsWriter } from '../result/write-rejects.ts'
import type { OutputFile } from '../../storage/file-io.ts'

/** Rejects of one day on their way to the local file `path`, which is made with the first of them. */
export interface RejectsFile {
  readonly add: (reject: Reject) => void
  /** Writes what was added, so that a file of rejects alone stays in constant memory. */
  flush(): Promise<void>
  /** The file's path; undefined when nothing was rejected. */
  close(): Promise<string | undefined>
}

export function createRejectsFile(path: string, location: string, signal: AbortSignal): RejectsFile {
  let waiting: Reject[] = []
  let open: { readonly output: OutputFile; readonly writer: RejectsWriter } | undefined

  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return
    if (open === undefined) {
      const output = await localFileIO().create(`file://${path}`, { signal })
      open = { output, writer: createRejectsWriter(output, basename(location)) }
    }
    await open.writer.write(waiting)
    waiting = []
  }
  return {
    add: (reject) => {
      waiting.push(reject)
    },
    flush,
    async close() {
      await flush()
      if (open === undefined) return undefined
      await open.writer.flush()
      await open.output.close()
      return path
    },
  }
}
