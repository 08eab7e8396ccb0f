import { describe, expect, it } from '@jest/globals'
import { deflateRawSync } from 'node:zlib'
import { randomBytes } from 'node:crypto'
import { compressSync } from 'snappy'
import { avroType, decodeContainer } from '../../../jobs/iceberg/avro/avro.ts'
import type { DataFile, ManifestEntry } from '../../../jobs/iceberg/manifest/data-file.ts'
import { decodeManifest, encodeManifest } from '../../../jobs/iceberg/manifest/manifest.ts'
import { decodeManifestList, encodeManifestList } from '../../../jobs/iceberg/manifest/manifest-list.ts'
import { partitionSpec, partitionType } from '../../../jobs/iceberg/partition/partition-spec.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'
import { parsePartitionExpression } from '../../../jobs/iceberg/partition/transforms.ts'
import type { PartitionColumnType } from '../../../jobs/iceberg/partition/partition-spec.ts'
import { bigId, containerOfBlock, manifest } from './samples.ts'

const types = [
  'timestamptz',
  'int',
  'string',
  'decimal(9,2)',
  'uuid',
  'binary',
  'long',
  'boolean',
  'double',
  'time',
]
const schema: Schema = {
  type: 'struct',
  'schema-id': 3,
  fields: types.map((type, i) => ({ id: i + 1, name: `c ${i + 1}`, required: false, type })),
}
const spec = partitionSpec(schema, [
  parsePartitionExpression('day("c 1")'),
  parsePartitionExpression('bucket(4, "c 2")'),
  ...schema.fields.slice(2).map((field) => parsePartitionExpression(`"${field.name}"`)),
])
const partition = partitionType(spec, [schema])
const uuid = Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex')

const file: DataFile = {
  content: 0,
  filePath: 's3://bucket/data/a.parquet',
  fileFormat: 'PARQUET',
  specId: 0,
  partition: [
    19844,
    3,
    'é😀',
    -12345n,
    uuid,
    Buffer.from([0, 255]),
    -(2n ** 63n),
    true,
    -0.5,
    86_399_999_999n,
  ],
  recordCount: 7,
  fileSizeInBytes: 2 ** 40,
  columnSizes: new Map([[1, 10]]),
  valueCounts: new Map([[1, 7]]),
  nullValueCounts: new Map([[1, 0]]),
  nanValueCounts: new Map([[9, 1]]),
  lowerBounds: new Map([[1, Buffer.from([1])]]),
  upperBounds: new Map([[1, Buffer.from([2])]]),
  keyMetadata: Buffer.from('k'),
  splitOffsets: [4, 2 ** 35],
  equalityIds: [1],
  sortOrderId: 0,
  referencedDataFile: 'x',
}
const entry: ManifestEntry = {
  status: 1,
  snapshotId: bigId,
  sequenceNumber: undefined,
  fileSequenceNumber: undefined,
  dataFile: file,
}
const written = (entries: readonly ManifestEntry[] = [entry]): Promise<Buffer> =>
  encodeManifest({ schema, spec, partition, content: 0 }, entries, randomBytes(16))

interface Described {
  readonly name: string
  readonly type: unknown
  readonly 'field-id'?: number
  readonly default?: unknown
}
interface RecordSchema {
  readonly name: string
  readonly fields: readonly Described[]
}
const field = (record: unknown, name: string): Described =>
  (record as RecordSchema).fields.find((one) => one.name === name)!
/** `id name type` of each field; `?` marks an optional one, nested types by their kind. */
const outline = (record: unknown): string[] =>
  (record as RecordSchema).fields.map(({ name, type, 'field-id': id, default: byDefault }) => {
    const optional = Array.isArray(type)
    if (optional) expect([type[0], byDefault]).toEqual(['null', null])
    const inner = (optional ? (type as unknown[])[1] : type) as string | Record<string, unknown>
    return `${id} ${name} ${describeType(inner)}${optional ? '?' : ''}`
  })
function describeType(type: string | Record<string, unknown>): string {
  if (typeof type === 'string') return type
  if (type['type'] === 'record') return String(type['name'])
  if (type['type'] !== 'array') return [type['type'], type['logicalType']].filter(Boolean).join(':')
  const items = type['items'] as string | Record<string, unknown>
  if (type['logicalType'] === 'map')
    return `map<${outline(items).join(', ')}> ${(items as { name: string }).name}`
  return `list<${String(type['element-id'])} ${describeType(items)}>`
}

describe('a manifest', () => {
  it('has the field names and ids that other readers look for', async () => {
    const { schema: avro } = decodeContainer('m', await written())
    expect((avro as RecordSchema).name).toBe('manifest_entry')
    expect(outline(avro)).toEqual([
      '0 status int',
      '1 snapshot_id long?',
      '3 sequence_number long?',
      '4 file_sequence_number long?',
      '2 data_file r2',
    ])
    const dataFile = field(avro, 'data_file').type
    expect(outline(dataFile)).toEqual([
      '134 content int',
      '100 file_path string',
      '101 file_format string',
      '102 partition r102',
      '103 record_count long',
      '104 file_size_in_bytes long',
      '108 column_sizes map<117 key int, 118 value long> k117_v118?',
      '109 value_counts map<119 key int, 120 value long> k119_v120?',
      '110 null_value_counts map<121 key int, 122 value long> k121_v122?',
      '137 nan_value_counts map<138 key int, 139 value long> k138_v139?',
      '125 lower_bounds map<126 key int, 127 value bytes> k126_v127?',
      '128 upper_bounds map<129 key int, 130 value bytes> k129_v130?',
      '131 key_metadata bytes?',
      '132 split_offsets list<133 long>?',
      '135 equality_ids list<136 int>?',
      '140 sort_order_id int?',
      '143 referenced_data_file string?',
    ])
    expect(outline(field(dataFile, 'partition').type).slice(0, 6)).toEqual([
      '1000 c_x201_day int:date?',
      '1001 c_x202_bucket int?',
      '1002 c_x203 string?',
      '1003 c_x204 fixed:decimal?',
      '1004 c_x205 fixed:uuid?',
      '1005 c_x206 bytes?',
    ])
  })

  it('has every header key, as text', async () => {
    const { metadata } = decodeContainer('m', await written())
    expect(Object.fromEntries([...metadata].filter(([key]) => key !== 'avro.schema'))).toEqual({
      'avro.codec': 'deflate',
      schema: JSON.stringify(schema),
      'schema-id': '3',
      'partition-spec': JSON.stringify(spec.fields),
      'partition-spec-id': '0',
      'format-version': '2',
      content: 'data',
    })
  })

  it('is read back value by value; an ADDED entry inherits its numbers', async () => {
    const [read] = decodeManifest(manifest, await written(), partition)
    expect(read).toEqual({ ...entry, sequenceNumber: 5, fileSequenceNumber: 5 })
  })

  it('has the fields of version 3 where an entry has them, and gives rows their inherited ids', async () => {
    const vector = { ...file, firstRowId: 2n ** 60n, contentOffset: 4, contentSizeInBytes: 2 ** 33 }
    const bytes = await written([
      { ...entry, dataFile: vector },
      entry,
      { ...entry, status: 2, sequenceNumber: 4 },
      { ...entry, dataFile: { ...file, recordCount: 3 } },
      entry,
    ])
    const file3 = field(decodeContainer('m', bytes).schema, 'data_file').type
    expect(outline(file3).slice(-3)).toEqual([
      '142 first_row_id long?',
      '144 content_offset long?',
      '145 content_size_in_bytes long?',
    ])
    const rowIds = (read: readonly ManifestEntry[]): unknown =>
      read.map(({ dataFile }) => dataFile.firstRowId)
    const plain = decodeManifest(manifest, bytes, partition)
    expect(plain[0]!.dataFile).toEqual(vector)
    expect(rowIds(plain)).toEqual([2n ** 60n, undefined, undefined, undefined, undefined])
    const inherited = decodeManifest({ ...manifest, firstRowId: 100n }, bytes, partition)
    expect(rowIds(inherited)).toEqual([2n ** 60n, 100n, undefined, 107n, 110n])
  })

  it('inherits nothing for EXISTING entries', async () => {
    const existing = { ...entry, status: 0, snapshotId: 1n, sequenceNumber: 2, fileSequenceNumber: 3 }
    const bytes = await written([
      existing,
      { ...existing, dataFile: { ...file, partition: file.partition.map(() => null) } },
    ])
    const read = decodeManifest(manifest, bytes, partition)
    expect(read[0]).toEqual(existing)
    expect(read[1]!.dataFile.partition).toEqual(file.partition.map(() => null))
  })

  it('finds partition values by field id, also after int became long', async () => {
    const ints: PartitionColumnType[] = [
      { id: 1001, name: 'renamed', sourceId: 2, transform: { kind: 'identity' }, type: { kind: 'long' } },
    ]
    const [read] = decodeManifest(manifest, await written(), ints)
    expect(read!.dataFile.partition).toEqual([3n])
  })
})

describe('foreign container files', () => {
  const avro = {
    type: 'record',
    name: 'any',
    fields: [
      { name: 'id', type: ['null', 'long'], default: null },
      { name: 'text', type: 'string' },
    ],
  }
  const records = [
    { id: bigId, text: 'a'.repeat(100) },
    { id: null, text: 'é' },
  ]
  const type = avroType(avro)
  const plain = Buffer.concat(records.map((record) => type.toBuffer(record)))
  const container = (codec: string | undefined, block: Buffer): Buffer =>
    containerOfBlock(avro, codec, records.length, block)

  it.each([
    ['null', plain],
    [undefined, plain],
    ['deflate', deflateRawSync(plain)],
    ['snappy', Buffer.concat([compressSync(plain), Buffer.alloc(4)])],
  ])('are read with codec %s', (codec, block) => {
    expect(decodeContainer('x', container(codec, block)).records).toEqual(records)
  })

  it('are refused when unknown, damaged or cut short, naming the file', () => {
    expect(() => decodeContainer('x.avro', container('lzo', plain))).toThrow('x.avro is compressed with lzo')
    expect(() => decodeContainer('x.avro', Buffer.from('PAR1'))).toThrow('x.avro is not an Avro file')
    const whole = container('null', plain)
    expect(() => decodeContainer('x.avro', whole.subarray(0, -1))).toThrow('x.avro is cut short')
    const damaged = Buffer.from(whole)
    damaged[whole.length - 1] = 8
    expect(() => decodeContainer('x.avro', damaged)).toThrow('x.avro is cut short or damaged')
    expect(() => decodeContainer('x.avro', whole.subarray(0, 30))).toThrow('x.avro is cut short')
  })
})

describe('a manifest list', () => {
  it('has the field names and ids of the specification, and its header', async () => {
    const list = { snapshotId: bigId, parentSnapshotId: undefined, sequenceNumber: 5 }
    const { schema: avro, metadata } = decodeContainer(
      'l',
      await encodeManifestList(list, [manifest], randomBytes(16)),
    )
    expect((avro as RecordSchema).name).toBe('manifest_file')
    expect(outline(avro)).toEqual([
      '500 manifest_path string',
      '501 manifest_length long',
      '502 partition_spec_id int',
      '517 content int',
      '515 sequence_number long',
      '516 min_sequence_number long',
      '503 added_snapshot_id long',
      '504 added_files_count int',
      '505 existing_files_count int',
      '506 deleted_files_count int',
      '512 added_rows_count long',
      '513 existing_rows_count long',
      '514 deleted_rows_count long',
      '507 partitions list<508 r508>?',
      '519 key_metadata bytes?',
    ])
    const partitions = (field(avro, 'partitions').type as { items: unknown }[])[1]!.items
    expect(outline(partitions)).toEqual([
      '509 contains_null boolean',
      '518 contains_nan boolean?',
      '510 lower_bound bytes?',
      '511 upper_bound bytes?',
    ])
    expect(metadata.get('snapshot-id')).toBe('8103159149723679872')
    expect(metadata.get('parent-snapshot-id')).toBe('null')
    expect(metadata.get('sequence-number')).toBe('5')
    expect(metadata.get('format-version')).toBe('2')
  })

  it('is read back', async () => {
    const list = { snapshotId: bigId, parentSnapshotId: 1n, sequenceNumber: 5 }
    const bytes = await encodeManifestList(
      list,
      [manifest, { ...manifest, manifestPath: 'b' }],
      randomBytes(16),
    )
    expect(decodeManifestList('l', bytes)).toEqual([manifest, { ...manifest, manifestPath: 'b' }])
  })

  it('carries the first row ids of version 3 on, beside manifests without', async () => {
    const list = { snapshotId: bigId, parentSnapshotId: 1n, sequenceNumber: 5 }
    const plain = decodeManifestList('l', await encodeManifestList(list, [manifest], randomBytes(16)))
    const mixed = [...plain, { ...manifest, firstRowId: 2n ** 60n }]
    const bytes = await encodeManifestList(list, mixed, randomBytes(16))
    expect(decodeManifestList('l', bytes)).toEqual(mixed)
    expect(outline(decodeContainer('l', bytes).schema)).toContain('520 first_row_id long?')
  })
})
