import { mapConcurrently } from '../../concurrency.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { openDataFile, type DataFileWriter } from '../../iceberg/writer/data-file-writer.ts'
import type { PartitionColumnType } from '../../iceberg/partition/partition-spec.ts'
import { dataFolder } from '../../iceberg/metadata/locations.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import type { Value } from '../../iceberg/schema/types.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { Interval } from '../../provenance/interval.ts'
import { keyOf } from '../read/partitioner.ts'
import type { EncodedRows } from '../read/encode-rows.ts'
import { openRowGroupSpool, type RowGroupSpool } from './row-group-spool.ts'

export interface DataFilesSettings {
  readonly io: FileIO
  /** The table's. */
  readonly location: string
  readonly schema: Schema
  readonly columns: readonly ParquetColumn[]
  readonly specId: number
  readonly fields: readonly PartitionColumnType[]
  /** The table's: where files go, `write.metadata.metrics.*`. */
  readonly properties: Readonly<Record<string, string>>
  /** A file is finished when it has that many bytes. */
  readonly targetBytes: number
  /** In every file's name. */
  readonly operationId: string
  /** Local folder where the rows of more partitions than files can be open wait, a path. */
  readonly scratch: string
  /** Files that may be open; undefined: by the store. */
  readonly mostOpen?: number
  readonly signal: AbortSignal
}

/** Writes row groups to data files, one for each partition, and describes the files for the table's manifests. */
export interface DataFilesWriter {
  /** Rows of one interval (`intervalOf`), which all rows of their partition belong to. */
  add(rows: Pick<EncodedRows, 'partition' | 'rowGroup'>, interval: Interval): Promise<void>
  /** Finishes the open files and removes those of intervals that are not wanted; the others. */
  finish(isWanted: (interval: Interval) => boolean): Promise<DataFile[]>
  /**
   * Removes what was written: the commit was not made, for certain, and no `add` or `finish` is under way. Returns
   * what could not be removed.
   */
  discard(): Promise<string[]>
}

/** Files that are written while rows come: on a disk an open file is a handle, … */
const mostOpenOnDisk = 256
/** … in a store up to an upload part of 8 MB and what is on its way. The other partitions' rows wait in a spool. */
const mostOpenInStore = 16

/** Each waits for the disk or the store, not for the processor; those at a time share the syncs of the folder above. */
const finishedAtOnce = 8

/** A partition of the table, and the interval that its rows belong to. */
interface Partition {
  readonly partition: readonly (Value | null)[]
  readonly interval: Interval
}

/** A file that is being written, … */
interface OpenFile extends Partition {
  readonly file: DataFileWriter
}

/** … and all that is kept of one that is finished. */
interface FinishedFile {
  readonly location: string
  readonly interval: Interval
  readonly dataFile: DataFile
}

/**
 * One file for each partition, more only where it is larger than `targetBytes`: whichever way the rows are mixed and however
 * quickly they come. The first partitions' files are open from their first rows on; the row groups of the others wait in one
 * local file and are written, partition by partition, when all are there.
 */
export function createDataFiles(settings: DataFilesSettings): DataFilesWriter {
  const { io, operationId, scratch } = settings
  const open = new Map<string, OpenFile>()
  const finished: FinishedFile[] = []
  /** Opened and not finished: also those that failed. */
  const unfinished = new Set<OpenFile>()
  /** Partitions that have or had a file while rows came. */
  const direct = new Set<string>()
  const waiting = new Map<string, Partition>()
  let spool: RowGroupSpool | undefined
  const isOnDisk = io.localPath(canonicalLocation(dataFolder(settings))) !== undefined
  const mostOpen = settings.mostOpen ?? (isOnDisk ? mostOpenOnDisk : mostOpenInStore)
  const atOnce = Math.min(finishedAtOnce, mostOpen)
  let count = 0

  const openFile = async (key: string, partition: Partition): Promise<OpenFile> => {
    const name = `${String(count++).padStart(5, '0')}-0-${operationId}-00001.parquet`
    const one = { ...partition, file: await openDataFile(settings, partition.partition, name) }
    unfinished.add(one)
    open.set(key, one)
    return one
  }
  const finishFile = async (key: string, one: OpenFile): Promise<void> => {
    open.delete(key)
    const dataFile = await one.file.finish()
    finished.push({ location: one.file.location, interval: one.interval, dataFile })
    unfinished.delete(one)
  }
  /** Adds to the partition's open file, or to a new one, and finishes it when it is large enough. */
  const write = async (key: string, partition: Partition, rowGroup: RelocatableRowGroup): Promise<void> => {
    const one = open.get(key) ?? (await openFile(key, partition))
    await one.file.add(rowGroup)
    if (one.file.size() >= settings.targetBytes) await finishFile(key, one)
  }
  const finishOpen = async (key: string): Promise<void> => {
    const file = open.get(key)
    if (file !== undefined) await finishFile(key, file)
  }
  /** Returns what could not be removed. */
  const remove = async (locations: readonly string[]): Promise<string[]> => {
    const left: string[] = []
    for (const location of locations)
      await io.delete(canonicalLocation(location)).catch(() => left.push(location))
    return left
  }
  const removeFiles = async (isUnwanted: (interval: Interval) => boolean): Promise<string[]> => {
    const dropped = [...unfinished].filter(({ interval }) => isUnwanted(interval))
    // Aborting waits for a file that is being published.
    for (const { file } of dropped) await file.abort()
    return remove([
      ...finished.filter(({ interval }) => isUnwanted(interval)).map(({ location }) => location),
      ...dropped.map(({ file }) => file.location),
    ])
  }

  return {
    async add({ partition, rowGroup }, interval) {
      const key = keyOf(partition)
      if (!direct.has(key) && (waiting.has(key) || direct.size >= mostOpen)) {
        spool ??= await openRowGroupSpool(scratch)
        waiting.set(key, { partition, interval })
        await spool.add(key, rowGroup)
        return
      }
      direct.add(key)
      await write(key, { partition, interval }, rowGroup)
    },
    async finish(isWanted) {
      await removeFiles((interval) => !isWanted(interval))
      const wanted = [...open].filter(([, file]) => isWanted(file.interval))
      await mapConcurrently(wanted, atOnce, ([key, file]) => finishFile(key, file))
      const later = [...waiting].filter(([, { interval }]) => isWanted(interval))
      await mapConcurrently(later, atOnce, async ([key, partition]) => {
        for await (const rowGroup of spool?.rowGroups(key) ?? []) await write(key, partition, rowGroup)
        await finishOpen(key)
      })
      await spool?.remove()
      return finished.flatMap(({ interval, dataFile }) => (isWanted(interval) ? dataFile : []))
    },
    async discard() {
      await spool?.remove()
      // Whichever were published, only this export knows their names.
      return removeFiles(() => true)
    },
  }
}
