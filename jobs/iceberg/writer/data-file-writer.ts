import { assembleFile } from '../../parquet/file.ts'
import { leafId, type ParquetColumn } from '../../parquet/column.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { writeBlocks } from '../../storage/write-blocks.ts'
import { createdBy } from '../../version.ts'
import { fileContent, type DataFile } from '../manifest/data-file.ts'
import { dataFileLocation } from '../metadata/locations.ts'
import { fileMetrics, joinChunks, type ChunkMetrics } from '../metrics/metrics.ts'
import { partitionPath } from '../partition/partition-path.ts'
import type { PartitionColumnType } from '../partition/partition-spec.ts'
import type { Schema } from '../schema/schema.ts'
import { asPrimitive, type Value } from '../schema/types.ts'

export interface DataFileSettings {
  readonly io: FileIO
  /** The table's. */
  readonly location: string
  readonly schema: Schema
  readonly columns: readonly ParquetColumn[]
  readonly specId: number
  readonly fields: readonly PartitionColumnType[]
  /** The table's: where files go, `write.metadata.metrics.*`. */
  readonly properties: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** One data file that is being written. */
export interface DataFileWriter {
  readonly location: string
  add(rowGroup: RelocatableRowGroup): Promise<void>
  /** Bytes so far. */
  size(): number
  /** Publishes the file; what a manifest says of it. */
  finish(): Promise<DataFile>
  /** Drops it, unless it is published; waits for one that is being published. */
  abort(): Promise<void>
}

/** Opens a file of that name for rows of one partition, a tuple of `specId`. */
export async function openDataFile(
  { io, location: table, schema, columns, specId, fields, properties, signal }: DataFileSettings,
  partition: readonly (Value | null)[],
  name: string,
): Promise<DataFileWriter> {
  const location = dataFileLocation({ location: table, properties }, folders(fields, partition), name)
  const output = await io.create(canonicalLocation(location), { ifAbsent: true, signal })
  const keyValueMetadata = { 'iceberg.schema': JSON.stringify(schema) }
  const assembler = assembleFile({ columns, keyValueMetadata, createdBy })
  /** By field id, of all chunks so far. */
  const chunks = new Map<number, ChunkMetrics>()
  return {
    location,
    async add(rowGroup) {
      await writeBlocks(output, assembler.add(rowGroup))
      collectMetrics(chunks, columns, schema, rowGroup)
    },
    size: assembler.size,
    async finish() {
      const { bytes, summary } = assembler.finish()
      await writeBlocks(output, bytes)
      const { size } = await output.close()
      const metrics = new Map([...chunks].map(([fieldId, all]) => [fieldId, [all]]))
      return {
        content: fileContent.data,
        filePath: location,
        fileFormat: 'PARQUET',
        specId,
        partition,
        recordCount: summary.rowCount,
        fileSizeInBytes: size,
        ...fileMetrics(schema, properties, metrics),
        splitOffsets: summary.splitOffsets,
        sortOrderId: 0,
      }
    },
    abort: () => output.abort(),
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
  metrics: Map<number, ChunkMetrics>,
  columns: readonly ParquetColumn[],
  { fields }: Schema,
  { chunks }: RelocatableRowGroup,
): void {
  const types = new Map(fields.map(({ id, type }) => [id, type]))
  for (const [index, column] of columns.entries()) {
    const id = leafId(column)
    const { compressedSize, metrics: chunk } = chunks[index]!
    const { valueCount, nullCount, nanCount, min, max } = chunk
    // Copies: what came from elsewhere may be part of far more memory.
    const bounds = { min: min?.bytes.slice(), max: max?.bytes.slice() }
    const own = { columnSize: compressedSize, valueCount, nullCount, nanCount, ...bounds }
    const before = metrics.get(id)
    // A list's element has no bounds: its type does not matter.
    const type = asPrimitive(types.get(column.fieldId)!)
    metrics.set(id, before === undefined ? own : joinChunks(type, before, own))
  }
}
