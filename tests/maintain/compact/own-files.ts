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

function vectorOf(kind: string, rows: number, from: number, valueOf: Values): FlatVector {
  const all = Array.from({ length: rows }, (_, row) => valueOf(from + row))
  const present = all.filter((value) => value !== null)
  const defined = present.length < rows ? Uint8Array.from(all, (value) => Number(value !== null)) : undefined
  const known = { count: present.length, rows, defined }
  if (kind === 'string') {
    const texts = present.map((value) => Buffer.from(String(value)))
    const offsets = new Int32Array(texts.length + 1)
    for (const [at, { length }] of texts.entries()) offsets[at + 1] = offsets[at]! + length
    return { kind: 'bytes', data: new Uint8Array(Buffer.concat(texts)), offsets, ...known }
  }
  const numbers = kind === 'double' ? Float64Array.from(present, Number) : Int32Array.from(present, Number)
  return {
    kind: 'fixed',
    width: numbers.BYTES_PER_ELEMENT,
    data: new Uint8Array(numbers.buffer),
    ...known,
  }
}
