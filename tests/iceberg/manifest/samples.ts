import { avroType } from '../../../jobs/iceberg/avro/avro.ts'
import type { ManifestFile } from '../../../jobs/iceberg/manifest/data-file.ts'

/** A snapshot id that no double has. */
export const bigId = 8103159149723679872n

/** With all fields of version 2. */
export const manifest: ManifestFile = {
  manifestPath: 's3://bucket/m0.avro',
  manifestLength: 1,
  partitionSpecId: 0,
  content: 0,
  sequenceNumber: 5,
  minSequenceNumber: 5,
  addedSnapshotId: bigId,
  addedFilesCount: 1,
  existingFilesCount: 0,
  deletedFilesCount: 0,
  addedRowsCount: 7,
  existingRowsCount: 0,
  deletedRowsCount: 0,
  partitions: [
    { containsNull: true, containsNan: false, lowerBound: Buffer.from([1]), upperBound: Buffer.from([2]) },
  ],
  keyMetadata: Buffer.from('k'),
}

/** A container file of one block, which `codec` has packed; undefined: its header names none. */
export function containerOfBlock(
  schema: unknown,
  codec: string | undefined,
  count: number,
  block: Buffer,
): Buffer {
  const varint = (value: number): Buffer => avroType('int').toBuffer(value)
  const text = (value: string): Buffer => avroType('bytes').toBuffer(Buffer.from(value))
  const meta = { 'avro.schema': JSON.stringify(schema), ...(codec && { 'avro.codec': codec }) }
  const sync = Buffer.alloc(16, 7)
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    varint(Object.keys(meta).length),
    ...Object.entries(meta).flatMap(([key, value]) => [text(key), text(value)]),
    varint(0),
    sync,
    varint(count),
    varint(block.length),
    block,
    sync,
  ])
}
