import { ordinalOf, type Day } from '../../calendar.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { defaultSpec } from '../../iceberg/metadata/metadata.ts'
import { partitionType } from '../../iceberg/partition/partition-spec.ts'
import { asPrimitive } from '../../iceberg/schema/types.ts'
import { openDataFile, type DataFileWriter } from '../../iceberg/writer/data-file-writer.ts'
import { logicalType } from '../../iceberg/writer/parquet-columns.ts'
import type { WriteSettings } from '../../iceberg/writer/write-settings.ts'
import { loadCodec } from '../../parquet/codec.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { encodeRowGroup } from '../../parquet/row-group.ts'
import { combined, fingerprintOf, noRows, type Fingerprint } from '../../provenance/fingerprint.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { FixedVector } from '../../vector/vector.ts'
import type { EmailCounts } from '../counts.ts'
import { countVectors } from '../counts-file.ts'
import type { ResultTable } from './result-table.ts'

/** The data files of windows, until they are the table's. */
export interface WindowFiles {
  /**
   * Writes a window's rows, which `read` hands over in batches, to files of their own; what they are. One window at a time.
   */
  write(
    window: { readonly last: Day; readonly length: number },
    read: (take: (batch: EmailCounts) => Promise<void>) => Promise<void>,
  ): Promise<Fingerprint>
  /** The files of some days. */
  of(days: readonly Day[]): readonly DataFile[]
  /** Removes files; what could not be removed. Nobody but this run knows their names. */
  discard(isUnwanted: (day: Day) => boolean): Promise<readonly string[]>
}

/** `operationId` is in the files' names. */
export async function createWindowFiles(
  { table: { io, metadata }, schema, fields }: ResultTable,
  { codec: codecName, level, pages, targetFileBytes }: WriteSettings,
  operationId: string,
  signal: AbortSignal,
): Promise<WindowFiles> {
  const types = fields.map(({ type }) => asPrimitive(type)!)
  const columns = fields.map(({ name, id, required }, at): ParquetColumn => ({
    ...{ name, fieldId: id, required },
    type: logicalType(types[at]!),
  }))
  const spec = defaultSpec(metadata)
  const settings = {
    ...{ io, location: metadata.location, schema, columns, specId: spec['spec-id'] },
    fields: partitionType(spec, [schema]),
    ...{ properties: metadata.properties, signal },
  }
  const codec = await loadCodec(codecName, level)
  const finished: { readonly day: Day; readonly dataFile: DataFile }[] = []
  let count = 0

  const writeWindow = async (
    { last, length }: { readonly last: Day; readonly length: number },
    read: (take: (batch: EmailCounts) => Promise<void>) => Promise<void>,
  ): Promise<Fingerprint> => {
    const ordinal = ordinalOf(last)
    let sum = noRows(columns.length)
    let open: DataFileWriter | undefined
    const finish = async (): Promise<void> => {
      if (open !== undefined) finished.push({ day: last, dataFile: await open.finish() })
      open = undefined
    }
    try {
      await read(async (batch) => {
        signal.throwIfAborted()
        const vectors = [repeated(ordinal, batch.rows), repeated(length, batch.rows), ...countVectors(batch)]
        sum = combined(sum, fingerprintOf(types, vectors))
        const name = `${String(count).padStart(5, '0')}-0-${operationId}-00001.parquet`
        if (open === undefined) {
          open = await openDataFile(settings, [ordinal], name)
          count++
        }
        await open.add(encodeRowGroup(columns, vectors, { ...pages, codec }))
        if (open.size() >= targetFileBytes) await finish()
      })
      await finish()
    } catch (error) {
      await open?.abort()
      throw error
    }
    return sum
  }
  return {
    write: writeWindow,
    of: (days) => finished.flatMap(({ day, dataFile }) => (days.includes(day) ? dataFile : [])),
    async discard(isUnwanted) {
      const left: string[] = []
      for (const { day, dataFile } of finished)
        if (isUnwanted(day))
          await io.delete(canonicalLocation(dataFile.filePath)).catch(() => left.push(dataFile.filePath))
      return left
    },
  }
}

function repeated(value: number, rows: number): FixedVector {
  const data = new Uint8Array(new Int32Array(rows).fill(value).buffer)
  return { kind: 'fixed', width: 4, data, count: rows, rows, defined: undefined }
}
