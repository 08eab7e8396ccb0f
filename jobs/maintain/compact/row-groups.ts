import type duckdb from '@duckdb/node-bindings'
import { bindings } from '../../lake/columns/bindings.ts'
import { oneOnTheWay } from '../../concurrency.ts'
import {
  asColumnType,
  type ColumnType,
  type NestedField,
  type PrimitiveType,
} from '../../iceberg/schema/types.ts'
import { parquetColumn } from '../../iceberg/writer/parquet-columns.ts'
import type { WriteSettings } from '../../iceberg/writer/write-settings.ts'
import { columnBuilder } from '../../lake/column-builder.ts'
import type { ColumnBuilder } from '../../lake/columns/rows.ts'
import type { LakeEngine } from '../../lake/engine.ts'
import { unreadable } from '../../lake/footer/footer.ts'
import { decodeGroup } from '../../lake/pages/decode-group.ts'
import type { GroupBytes } from '../../lake/pages/group-bytes.ts'
import type { ReadyRows } from '../../lake/read-rows.ts'
import { loadCodec } from '../../parquet/codec.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { encodeRowGroup, type RelocatableRowGroup } from '../../parquet/row-group.ts'
import type { ValueBuilder } from '../../vector/builder.ts'
import { decimalWidth } from '../../vector/decimal-width.ts'
import { freeMemory, memoryOf, reuseMemory } from '../../vector/vector-memory.ts'
import type { ColumnVector, FlatVector } from '../../vector/vector.ts'

/** What rows become. Plain data, may cross threads. */
export interface RowGroupSettings extends Pick<WriteSettings, 'codec' | 'level' | 'pages' | 'groupBytes'> {
  readonly columns: readonly ParquetColumn[]
  /** The columns' Iceberg types, in the same order. */
  readonly types: readonly ColumnType[]
}

export interface TakenRows {
  /** That came. */
  readonly rows: number
  /** That delete files name. */
  readonly deleted: number
}

export type TakeRowGroup = (rowGroup: RelocatableRowGroup) => Promise<void>

/** Reads rows and encodes them; a row group may have rows of several reads. One thing at a time. */
export interface RowGroups {
  /** The rows of files, without what is not enough for a row group: that waits for more. By DuckDB. */
  read(files: ReadyRows, take: TakeRowGroup): Promise<TakenRows>
  /**
   * The same of a row group of one of our files, by the kernel, several times as quick. Its memory is the reader's. Undefined: it
   * is not as we write them, or too much; then nothing of it was taken.
   */
  decode(stored: GroupBytes, take: TakeRowGroup): Promise<TakenRows | undefined>
  /** What waits. */
  flush(take: TakeRowGroup): Promise<void>
}

/** The columns of the fields, all of primitive types or lists of them. */
export const parquetColumns = (
  fields: readonly NestedField[],
): Pick<RowGroupSettings, 'columns' | 'types'> => {
  const types = fields.map(({ type }) => asColumnType(type)!)
  return { types, columns: fields.map((field, at) => parquetColumn(field, types[at]!)) }
}

/** Rows that DuckDB gives at once. */
const chunkRows = 2048
/** As exports have it. */
const mostRows = 1_000_000
/** What a text is guessed to take beside its place, to know how many rows there must be room for. */
const guessedText = 8

const widthOf = (type: ColumnType): number => {
  switch (type.kind) {
    case 'boolean':
      return 1
    case 'int':
    case 'date':
    case 'float':
      return 4
    case 'decimal':
      return type.precision <= 9 ? 4 : type.precision <= 18 ? 8 : 16
    case 'uuid':
      return 16
    // With one element.
    case 'list':
      return 4 + widthOf(type.element)
    case 'string':
    case 'binary':
    case 'fixed':
      return 4 + guessedText
    default:
      return 8
  }
}

/** Errors of what is read: those of `LakeEngine`. */
export async function rowGroups(settings: RowGroupSettings, engine: LakeEngine): Promise<RowGroups> {
  const { columns, types, groupBytes, pages } = settings
  const codec = await loadCodec(settings.codec, settings.level)
  const rowBytes = types.reduce((sum, type) => sum + widthOf(type), 0)
  const room = Math.min(mostRows, Math.max(chunkRows, Math.ceil(groupBytes / rowBytes)))
  const builders = types.map((type) => columnBuilder(type, room))
  const own = asInOurPages(types, builders)
  let rows = 0

  const encode = (): RelocatableRowGroup => {
    const vectors = builders.map((builder, at) => asWritten(types[at]!, builder.take()))
    rows = 0
    try {
      return encodeRowGroup(columns, vectors, { ...pages, codec })
    } finally {
      reuseMemory(memoryOf(vectors))
    }
  }
  const size = (): number => builders.reduce((sum, one) => sum + one.bytes(), 0)
  const isFull = (more: number): boolean => rows > 0 && (rows + more > room || size() >= groupBytes)

  return {
    async decode(stored, take) {
      const more = stored.group.rows
      if (more > room || own === undefined) return undefined
      if (isFull(more)) await take(encode())
      const isTaken = decodeGroup(stored, own.types, own.builders, groupBytes)
      freeMemory([stored.bytes.buffer])
      if (!isTaken) return undefined
      rows += more
      return { rows: more, deleted: 0 }
    },
    async read({ location, steps, sql, tables }, take) {
      const onTheWay = oneOnTheWay()
      let [taken, deleted] = [0, 0]
      try {
        await engine.take(steps, location)
        for (const table of tables) deleted += await distinctRows(engine, table, location)
        for await (const { chunk, rowCount } of engine.stream(sql, location)) {
          if (isFull(rowCount)) {
            const rowGroup = encode()
            await onTheWay.start(() => take(rowGroup))
          }
          addChunk(builders, chunk, rowCount)
          rows += rowCount
          taken += rowCount
        }
        await onTheWay.done()
      } finally {
        await engine.drop(tables)
      }
      return { rows: taken, deleted }
    },
    async flush(take) {
      if (rows > 0) await take(encode())
    },
  }
}

/** Where the values of all columns are in memory as they are in our pages. */
function asInOurPages(
  types: readonly ColumnType[],
  builders: readonly ColumnBuilder[],
): { readonly types: readonly PrimitiveType[]; readonly builders: readonly ValueBuilder[] } | undefined {
  const flat = types.filter((type) => type.kind !== 'list')
  const values = builders.flatMap((builder) => builder.values ?? [])
  return flat.length === types.length && values.length === types.length
    ? { types: flat, builders: values }
    : undefined
}

function addChunk(builders: readonly ColumnBuilder[], chunk: duckdb.DataChunk, rows: number): void {
  for (const [column, builder] of builders.entries())
    builder.add(bindings().data_chunk_get_vector(chunk, column), rows)
}

/** Delete files may name a row twice. */
async function distinctRows(engine: LakeEngine, table: string, location: string): Promise<number> {
  const sql = `SELECT count(*) FROM (SELECT DISTINCT f, p FROM temp.${table})`
  for await (const chunk of engine.stream(sql, location)) return Number(chunk.getColumnValues(0)[0])
  throw unreadable(location, 'its deleted rows cannot be counted')
}

/** As the vector's column is written: wide decimals in their least width, values of one length without places. */
function asWritten(type: ColumnType, vector: ColumnVector): ColumnVector {
  if (type.kind === 'list')
    return vector.kind === 'list'
      ? { ...vector, elements: valuesAsWritten(type.element, vector.elements) }
      : vector
  return vector.kind === 'list' ? vector : valuesAsWritten(type, vector)
}

function valuesAsWritten(type: PrimitiveType, vector: FlatVector): FlatVector {
  if (type.kind === 'fixed' && vector.kind === 'bytes') {
    const { data, offsets, rows, count, defined } = vector
    for (let value = 0; value <= count; value++)
      if (offsets[value] !== value * type.length)
        throw unreadable('of a column', `a value of fixed[${type.length}] has another length`)
    return { kind: 'fixed', width: type.length, data, rows, count, defined }
  }
  if (type.kind !== 'decimal' || vector.kind !== 'fixed') return vector
  const width = decimalWidth(type.precision)
  if (width === vector.width) return vector
  const { data, count } = vector
  for (let value = 0; value < count; value++)
    data.copyWithin(value * width, (value + 1) * vector.width - width, (value + 1) * vector.width)
  return { ...vector, width }
}
