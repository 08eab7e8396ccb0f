// Jest looks a global up slowly, each time.
import { Buffer } from 'node:buffer'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { specTypeOf } from '../../../jobs/iceberg/manifest/table-files.ts'
import { currentSchema } from '../../../jobs/iceberg/metadata/metadata.ts'
import { openDataFile } from '../../../jobs/iceberg/writer/data-file-writer.ts'
import { parquetColumns } from '../../../jobs/maintain/compact/row-groups.ts'
import { loadCodec, type CodecName } from '../../../jobs/parquet/codec.ts'
import type { PageLimits } from '../../../jobs/parquet/data-pages.ts'
import { defaultLimits, encodeRowGroup } from '../../../jobs/parquet/row-group.ts'
import type { FlatVector } from '../../../jobs/vector/vector.ts'
import type { CompactLake } from '../compact-lake.ts'

/** Rows enough for a row group to stay as it is. */
export const enough = 100_000

/** A column's values in a row group, by their number in the file; null: the row is NULL. */
export type Values = (row: number) => number | string | null

export interface OwnFile {
  /** Rows of each row group. */
  readonly rowGroups: readonly number[]
  /** Of the schema's columns, in their order: integers, dates and doubles as numbers. */
  readonly values: readonly Values[]
  readonly codec?: CodecName
  /** Of a row group, by its number. */
  readonly pages?: (group: number) => PageLimits
}

let files = 0

/** A data file of day 0 as an export writes it, under the table's current schema. */
export async function ownFile(
  { table, lake }: CompactLake,
  { rowGroups, values, codec: name = 'snappy', pages = () => defaultLimits }: OwnFile,
): Promise<DataFile> {
  const schema = currentSchema(table.metadata)
  const { columns } = parquetColumns(schema.fields)
  const { properties, location } = table.metadata
  const { type: fields } = specTypeOf(table.metadata, 0)
  const signal = new AbortController().signal
  const settings = { io: lake.io, location, schema, columns, specId: 0, fields, properties, signal }
  const file = await openDataFile(settings, [0], `own-${files++}.parquet`)
  const codec = await loadCodec(name)
  let from = 0
  for (const [group, rows] of rowGroups.entries()) {
    const vectors = values.map((valueOf, at) => vectorOf(columns[at]!.type.kind, rows, from, valueOf))
    await file.add(encodeRowGroup(columns, vectors, { ...pages(group), pageIndex: true, codec }))
    from += rows
  }
  return file.finish()
}

/** Many files have the same columns. */
const made = new WeakMap<Values, Map<string, FlatVector>>()

function vectorOf(kind: string, rows: number, from: number, valueOf: Values): FlatVector {
  const known = made.get(valueOf) ?? new Map<string, FlatVector>()
  made.set(valueOf, known)
  const name = `${kind}, ${rows} rows from ${from}`
  const vector = known.get(name) ?? makeVector(kind, rows, from, valueOf)
  known.set(name, vector)
  return vector
}

function makeVector(kind: string, rows: number, from: number, valueOf: Values): FlatVector {
  const present: (number | string)[] = []
  const defined = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    const value = valueOf(from + row)
    if (value === null) continue
    defined[row] = 1
    present.push(value)
  }
  const known = { count: present.length, rows, defined: present.length < rows ? defined : undefined }
  if (kind === 'string') {
    const texts = present.map(String)
    const offsets = new Int32Array(texts.length + 1)
    texts.forEach((text, at) => (offsets[at + 1] = offsets[at]! + Buffer.byteLength(text)))
    return { kind: 'bytes', data: new Uint8Array(Buffer.from(texts.join(''))), offsets, ...known }
  }
  const numbers = new (kind === 'double' ? Float64Array : Int32Array)(present.map(Number))
  return {
    kind: 'fixed',
    width: numbers.BYTES_PER_ELEMENT,
    data: new Uint8Array(numbers.buffer),
    ...known,
  }
}
