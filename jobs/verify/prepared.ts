import { currentSchema, type Snapshot } from '../iceberg/metadata/metadata.ts'
import { asColumnType } from '../iceberg/schema/types.ts'
import type { PlannedFile, ReadTable } from '../lake/read-plan.ts'
import type { TableName } from '../postgres/identifiers.ts'
import { parseTableName } from '../postgres/identifiers.ts'
import { hashKeyId } from '../provenance/hash-key.ts'
import type { Interval } from '../provenance/interval.ts'
import { crudLogs } from '../provenance/source.ts'
import type { TableRows } from '../provenance/table-rows.ts'
import { allExpected } from './expectation.ts'
import type { FileFault } from './lake-rows.ts'
import type { VerifyOptions } from './options.ts'
import { comparedWith, type Compared } from './source-rows.ts'

/** Rows of the lake as they are to be compared: a table at one snapshot, or plain files that are alike. */
export interface Prepared {
  readonly format: 'iceberg' | 'parquet'
  /** The table's name, or the file or folder of plain files. */
  readonly table: ReadTable
  readonly snapshot: Snapshot | undefined
  /** Where plain files are. */
  readonly location: string | undefined
  /** Those that may have rows that are asked for. */
  readonly files: readonly PlannedFile[]
  /** What was found before any row was read. */
  readonly faults: readonly FileFault[]
  readonly known: TableRows
  /** Whether rows are asked for. */
  readonly within: (interval: Interval) => boolean
  /** Lists of columns that the rows are hashed by; the first one is compared with the source. */
  readonly lists: readonly (readonly number[])[]
  /** Names of hashed columns whose key is not at hand: the source's values cannot be hashed alike. */
  readonly unreadable: readonly string[]
  /** Undefined: nothing tells of what source the rows are. */
  readonly compared: Compared | undefined
}

/** How rows are compared, as far as it follows from what is known of them. `source` undefined: as that tells. */
export function comparison(
  table: ReadTable,
  known: TableRows,
  source: TableName | undefined,
  { days, hashKey }: Pick<VerifyOptions, 'days' | 'hashKey'>,
): Pick<Prepared, 'lists' | 'compared' | 'unreadable'> {
  const { newest, day } = known
  const schema = currentSchema(table.metadata)
  const all = schema.fields.flatMap(({ id, type }) => (asColumnType(type) === undefined ? [] : [id]))
  const there = (newest?.columns ?? all).filter((id) => schema.fields.some((field) => field.id === id))
  const hash = newest?.readAs?.hash
  // By another key nothing can be compared. Undefined: the source is not read.
  const isReadable = hashKey === undefined || (hashKey !== 'none' && hashKeyId(hashKey) === hash?.key)
  const unreadable = isReadable ? [] : there.filter((id) => hash?.columns.includes(id) === true)
  const own = there.filter((id) => !unreadable.includes(id))
  const written = allExpected(known).flatMap(({ written: one }) =>
    one.kind === 'known' ? [one.columns] : [],
  )
  // What a job made of logs is compared with nothing but what it wrote, whatever table of PostgreSQL has its name.
  const isOfLogs = newest?.source.table === crudLogs
  const from = isOfLogs ? undefined : (source ?? (newest && parseTableName(newest.source.table)))
  return {
    lists: [...new Map([own, ...written].map((list) => [list.join(), list])).values()],
    compared:
      from === undefined || own.length === 0
        ? undefined
        : comparedWith(table, from, own, newest?.readAs, day, days, hashKey === 'none' ? undefined : hashKey),
    unreadable: schema.fields.flatMap(({ id, name }) => (unreadable.includes(id) ? [name] : [])),
  }
}
