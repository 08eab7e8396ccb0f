import { mapConcurrently } from '../../concurrency.ts'
import type { DataFile } from '../../iceberg/data-file.ts'
import { fileContent } from '../../iceberg/data-file.ts'
import { fileMetrics, type ChunkMetrics } from '../../iceberg/metrics.ts'
import type { PartitionColumnType } from '../../iceberg/partition-spec.ts'
import { dataFileLocation } from '../../iceberg/data-location.ts'
import { dataFolder } from '../../iceberg/table-files.ts'
import { partitionPath } from '../../iceberg/partition-path.ts'
import type { Schema } from '../../iceberg/schema.ts'
import type { Value } from '../../iceberg/types.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { assembleFile, type FileAssembler } from '../../parquet/file.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { FileIO, OutputFile } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { createdBy } from '../../version.ts'
import { keyOf } from '../read/partitioner.ts'
import type { EncodedRows } from '../read/encode-rows.ts'

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
  readonly signal: AbortSignal
}

/** Writes row groups to data files, one open per partition, and describes the files for the table's manifests. */
export interface DataFilesWriter {
  /** Rows of one interval (`intervalOf`), which all rows of their partition belong to. */
  add(rows: Pick<EncodedRows, 'partition' | 'rowGroup'>, interval: string): Promise<void>
  /** Finishes the open files and removes those of intervals that are not wanted; the others. */
  finish(isWanted: (interval: string) => boolean): Promise<DataFile[]>
  /**
   * Removes what was written: the commit was not made, for certain, and no `add` or `finish` is under way. Returns
   * what could not be removed.
   */
  discard(): Promise<string[]>
}

/** More partitions are written one file after the other: on a disk an open file is a handle, … */
const mostOpenOnDisk = 256
/** … in a store up to an upload part of 8 MB and what is on its way. */
const mostOpenInStore = 16

/** Each waits for the disk or the store, not for the processor. */
const finishedAtOnce = 4

interface OpenFile {
  readonly location: string
  readonly interval: string
  readonly partition: readonly (Value | null)[]
  readonly output: OutputFile
  readonly assembler: FileAssembler
  /** By field id. */
  readonly metrics: Map<number, ChunkMetrics[]>
}

export function createDataFiles(settings: DataFilesSettings): DataFilesWriter {
  const { io, schema, columns, specId, fields, properties, operationId, signal } = settings
  const open = new Map<string, OpenFile>()
  const created: OpenFile[] = []
  const finished = new Map<OpenFile, DataFile>()
  const isOnDisk = io.localPath(canonicalLocation(dataFolder(settings))) !== undefined
  const mostOpen = isOnDisk ? mostOpenOnDisk : mostOpenInStore
  let count = 0

  const openFile = async (partition: readonly (Value | null)[], interval: string): Promise<OpenFile> => {
    const name = `${String(count++).padStart(5, '0')}-0-${operationId}-00001.parquet`
    const location = dataFileLocation(settings, folders(fields, partition), name)
    const file: OpenFile = {
      location,
      interval,
      partition,
      output: await io.create(canonicalLocation(location), { ifAbsent: true, signal }),
      assembler: assembleFile({
        columns,
        keyValueMetadata: { 'iceberg.schema': JSON.stringify(schema) },
        createdBy,
      }),
      metrics: new Map(),
    }
    created.push(file)
    return file
  }
  const finishFile = async (key: string, file: OpenFile): Promise<void> => {
    open.delete(key)
    const { bytes, summary } = file.assembler.finish()
    for (const block of bytes) await file.output.write(block)
    const { size } = await file.output.close()
    finished.set(file, {
      content: fileContent.data,
      filePath: file.location,
      fileFormat: 'PARQUET',
      specId,
      partition: file.partition,
      recordCount: summary.rowCount,
      fileSizeInBytes: size,
      ...fileMetrics(schema, properties, file.metrics),
      splitOffsets: summary.splitOffsets,
      sortOrderId: 0,
    })
  }
  /** Returns what could not be removed. */
  const remove = async (files: readonly OpenFile[]): Promise<string[]> => {
    const left: string[] = []
    for (const { location, output } of files) {
      // Aborting waits for a file that is being published.
      await output.abort()
      await io.delete(canonicalLocation(location)).catch(() => left.push(location))
    }
    return left
  }

  return {
    async add({ partition, rowGroup }, interval) {
      const key = keyOf(partition)
      let file = open.get(key)
      if (file === undefined) {
        const [oldest] = open
        if (oldest !== undefined && open.size >= mostOpen) await finishFile(...oldest)
        file = await openFile(partition, interval)
        open.set(key, file)
      }
      for (const block of file.assembler.add(rowGroup)) await file.output.write(block)
      collectMetrics(file.metrics, columns, rowGroup)
      if (file.assembler.size() >= settings.targetBytes) await finishFile(key, file)
    },
    async finish(isWanted) {
      await remove(created.filter(({ interval }) => !isWanted(interval)))
      const wanted = [...open].filter(([, file]) => isWanted(file.interval))
      await mapConcurrently(wanted, finishedAtOnce, ([key, file]) => finishFile(key, file))
      return created.flatMap((file) => (isWanted(file.interval) ? (finished.get(file) ?? []) : []))
    },
    // Whichever were published, only this export knows their names.
    discard: () => remove(created),
  }
}

/** File systems take names of 255 bytes, S3 keys of 1024; readers take the values from the manifests. */
const longestFolder = 120

const folders = (fields: readonly PartitionColumnType[], partition: readonly (Value | null)[]): string[] =>
  partitionPath(fields, partition)
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.slice(0, longestFolder).replace(/%.?$/, ''))

function collectMetrics(
  metrics: Map<number, ChunkMetrics[]>,
  columns: readonly ParquetColumn[],
  { chunks }: RelocatableRowGroup,
): void {
  for (const [index, { fieldId }] of columns.entries()) {
    const { compressedSize, metrics: chunk } = chunks[index]!
    const { valueCount, nullCount, nanCount, min, max } = chunk
    const bounds = { min: min?.bytes, max: max?.bytes }
    const collected = metrics.get(fieldId) ?? []
    collected.push({ columnSize: compressedSize, valueCount, nullCount, nanCount, ...bounds })
    metrics.set(fieldId, collected)
  }
}
