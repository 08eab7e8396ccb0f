import {
  openDataFile,
  type DataFileSettings,
  type DataFileWriter,
} from '../../iceberg/writer/data-file-writer.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { Value } from '../../iceberg/schema/types.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { checkWritten } from './check-written.ts'

export interface OutputSettings extends DataFileSettings {
  readonly partition: readonly (Value | null)[]
  /** Bytes that all files are expected to have, and in how many. */
  readonly bytes: number
  readonly outputs: number
  /** The table's; no file gets much larger. */
  readonly targetBytes: number
  /** The next file's. */
  readonly name: () => string
}

/** The files that come of one group; row groups may come from several threads at once. */
export interface OutputFiles {
  readonly add: (rowGroup: RelocatableRowGroup) => Promise<void>
  /** Publishes the last file; all of them, each reopened and held against what was written. */
  finish(): Promise<readonly DataFile[]>
  /** Removes what was written; no `add` or `finish` is under way. Returns what could not be removed. */
  discard(): Promise<string[]>
}

/** The last file may become that much larger than the target: better than a very small one behind it. */
const lastShare = 1.5

export function outputFiles(settings: OutputSettings): OutputFiles {
  const { io, partition, bytes, outputs, targetBytes, name } = settings
  const finished: DataFile[] = []
  let open: { readonly file: DataFileWriter; readonly rowGroups: RelocatableRowGroup[] } | undefined
  let turn: Promise<void> = Promise.resolve()

  const finishOpen = async (): Promise<void> => {
    if (open === undefined) return
    const { file, rowGroups } = open
    const dataFile = await file.finish()
    finished.push(dataFile)
    open = undefined
    await checkWritten(io, settings.columns, dataFile, rowGroups)
  }
  const isDone = (size: number): boolean =>
    finished.length < outputs - 1 ? size >= bytes / outputs : size >= lastShare * targetBytes

  const write = async (rowGroup: RelocatableRowGroup): Promise<void> => {
    open ??= { file: await openDataFile(settings, partition, name()), rowGroups: [] }
    await open.file.add(rowGroup)
    // Of what is written only the numbers are needed.
    open.rowGroups.push({ ...rowGroup, chunks: rowGroup.chunks.map((chunk) => ({ ...chunk, blocks: [] })) })
    if (isDone(open.file.size())) await finishOpen()
  }
  return {
    add(rowGroup) {
      turn = turn.then(() => write(rowGroup))
      // Whoever adds hears of it; until then it is not an unhandled one.
      turn.catch(() => undefined)
      return turn
    },
    async finish() {
      await turn
      await finishOpen()
      return finished
    },
    async discard() {
      await turn.catch(() => undefined)
      await open?.file.abort()
      const locations = [...finished.map(({ filePath }) => filePath), ...(open ? [open.file.location] : [])]
      const left: string[] = []
      for (const location of locations)
        await io.delete(canonicalLocation(location)).catch(() => left.push(location))
      return left
    },
  }
}
