import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import avro from 'avsc'
import type Snappy from 'snappy'
import { dataError } from '../../errors.ts'
import { damaged } from '../damaged.ts'
import { boundedArray } from './bounded-array.ts'
import { magic, readHeader, readLong, syncSize } from './header.ts'

// Avro object container files. The container is written here and not by avsc because avsc can keep either 63-bit longs or the
// schema's `field-id`s, `element-id`s and logical types, and readers need both.

const deflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

/** Room for all of an output unless it is large: each further piece is a round trip to another thread, and a copy. */
const chunkSize = (expected: number): number => Math.min(Math.max(expected, 2 ** 14), 2 ** 20)

/** Longs as bigint: snapshot ids do not fit a double. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

const header = avro.Type.forSchema({
  type: 'record',
  name: 'Header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: syncSize } },
  ],
})

/** The type of a schema; unions of null and one type appear as that type or null. */
export const avroType = (schema: unknown): avro.Type =>
  avro.Type.forSchema(schema as avro.Schema, {
    // Longs appear by name, and as objects with a logical type. A registry per type: names are defined once.
    registry: { long: long },
    typeHook(inner, options) {
      const { type } = inner as { readonly type?: unknown }
      return type === 'long' ? long : type === 'array' ? boundedArray(inner, options) : undefined
    },
    wrapUnions: false,
  })

export interface ContainerFile {
  readonly schema: unknown
  /** The header's metadata as text, `avro.` keys included. */
  readonly metadata: ReadonlyMap<string, string>
  readonly records: readonly Record<string, unknown>[]
}

/** Records in Avro's encoding, one behind the other. */
export interface EncodedRecords {
  readonly count: number
  readonly bytes: Buffer
}

/**
 * A container file with one deflate block. `schema` is written as it is, attributes included; `sync` are 16
 * random bytes. Records hold longs as bigint and unions unwrapped.
 */
export function encodeContainer(
  schema: unknown,
  metadata: Readonly<Record<string, string>>,
  records: readonly unknown[],
  sync: Buffer,
): Promise<Buffer> {
  const type = avroType(schema)
  const encoded = records.map((record) => ({ count: 1, bytes: type.toBuffer(record) }))
  return containerOf(schema, metadata, encoded, sync)
}

/** As `encodeContainer`, of records that are encoded already. */
export async function containerOf(
  schema: unknown,
  metadata: Readonly<Record<string, string>>,
  records: readonly EncodedRecords[],
  sync: Buffer,
): Promise<Buffer> {
  const meta = Object.fromEntries(
    Object.entries({ ...metadata, 'avro.schema': JSON.stringify(schema), 'avro.codec': 'deflate' }).map(
      ([key, value]) => [key, Buffer.from(value)],
    ),
  )
  const head = header.toBuffer({ magic, meta, sync })
  const count = records.reduce((sum, run) => sum + run.count, 0)
  if (count === 0) return head
  const plain = Buffer.concat(records.map(({ bytes }) => bytes))
  // Level 1 takes half the time of the default and makes it 4 % larger.
  const block = await deflateRaw(plain, { level: 1, chunkSize: chunkSize(plain.length >> 1) })
  return Buffer.concat([head, varint(count), varint(block.length), block, sync])
}

/** A container file's header and its blocks, decompressed. */
export interface ContainerBlocks {
  /** As `ContainerFile` has it. */
  readonly metadata: ReadonlyMap<string, string>
  readonly blocks: readonly EncodedRecords[]
}

/** Reads a container file of any writer as far as its records. Errors: any, of a file that is damaged (`unlessDamaged`). */
export function containerBlocks(location: string, bytes: Buffer): ContainerBlocks {
  const { metadata, sync, end: first } = readHeader(location, bytes)
  const codec = metadata.get('avro.codec') ?? 'null'
  const blocks: { count: number; bytes: Buffer }[] = []
  let at = first
  while (at < bytes.length) {
    const count = readLong(location, bytes, at)
    const size = readLong(location, bytes, count.next)
    const end = size.next + size.value
    if (size.value < 0 || end + syncSize > bytes.length || !bytes.subarray(end, end + syncSize).equals(sync))
      throw damaged(location, 'is cut short or damaged')
    const block = decompress(location, codec, bytes.subarray(size.next, end))
    // A record has at least one byte.
    if (count.value < 0 || count.value > block.length) throw damaged(location)
    blocks.push({ count: count.value, bytes: block })
    at = end + syncSize
  }
  return { metadata, blocks }
}

/** Reads a container file of any writer. Errors: as of `containerBlocks`. */
export function decodeContainer(location: string, bytes: Buffer): ContainerFile {
  const { metadata, blocks } = containerBlocks(location, bytes)
  const { schema, type } = knownType(metadata.get('avro.schema') ?? 'null')
  const records: Record<string, unknown>[] = []
  for (const block of blocks) {
    for (let record = 0, offset = 0; record < block.count; record++) {
      const decoded = type.decode(block.bytes, offset) as { readonly value: object; readonly offset: number }
      if (decoded.offset < 0) throw damaged(location)
      records.push(decoded.value as Record<string, unknown>)
      offset = decoded.offset
    }
  }
  return { schema, metadata, records }
}

interface KnownType {
  readonly schema: unknown
  readonly type: avro.Type
}

/** By the schema's text: a table's manifests share theirs, and making a type takes longer than decoding some records. */
const knownTypes = new Map<string, KnownType>()
const mostTypes = 16

function knownType(text: string): KnownType {
  const known = knownTypes.get(text)
  if (known !== undefined) return known
  const schema: unknown = JSON.parse(text)
  const made = { schema, type: avroType(schema) }
  // The oldest goes.
  const [first] = knownTypes.keys()
  if (knownTypes.size === mostTypes && first !== undefined) knownTypes.delete(first)
  knownTypes.set(text, made)
  return made
}

function decompress(location: string, codec: string, block: Buffer): Buffer {
  switch (codec) {
    case 'null':
      return block
    case 'deflate':
      return zlib.inflateRawSync(block, { chunkSize: chunkSize(4 * block.length) })
    case 'snappy': {
      // A binary, which is not loaded for those who read nothing like that: it takes 4 ms.
      const snappy = createRequire(import.meta.url)('snappy') as typeof Snappy
      // The last 4 bytes are a CRC32 of the data.
      return snappy.uncompressSync(block.subarray(0, -4), { asBuffer: true }) as Buffer
    }
    case 'zstandard': {
      // Only newer runtimes have it (Node 22.15).
      const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: (block: Buffer) => Buffer }
      if (zstdDecompressSync !== undefined) return zstdDecompressSync(block)
      break
    }
  }
  throw dataError(`${location} is compressed with ${codec}, which this Node.js cannot read`, {
    field: location,
    fix: codec === 'zstandard' ? 'run with Node.js 22.15 or newer' : 'rewrite it with deflate',
  })
}

/** Zigzag varint of a count that is not negative. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return Buffer.from(bytes)
}
