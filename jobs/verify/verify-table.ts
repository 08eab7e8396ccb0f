import type { JobContext } from '../context.ts'
import { currentSchema } from '../iceberg/metadata/metadata.ts'
import type { LakeEngine } from '../lake/engine.ts'
import { flatFields, type RowSource } from '../lake/read-rows.ts'
import type { TableSummary, VerifiedInterval } from '../summary.ts'
import { deepen } from './deep/deepen.ts'
import { keyOf } from './deep/key.ts'
import { judge } from './judge.ts'
import { countLake, fieldsOf, readLake, type LakeRows } from './lake-rows.ts'
import type { VerifyOptions } from './options.ts'
import type { GroupHasher } from './pages/group-threads.ts'
import type { Prepared } from './prepared.ts'
import type { Counted, SourceReads } from './source-reads.ts'

export interface Means {
  readonly options: VerifyOptions
  readonly context: JobContext
  readonly engine: LakeEngine
  /** A folder of this run. */
  readonly scratch: string
  /** Undefined: the source is not read. */
  readonly reads: SourceReads | undefined
  /** Where only what was written is compared. */
  readonly hasher: GroupHasher | undefined
}

/** Reads the lake, and the source, and tells what each interval's rows are to the other. `name`: of the table. */
export async function verifyTable(
  { options, context, engine, scratch, reads, hasher }: Means,
  prepared: Prepared,
  name: string,
): Promise<TableSummary> {
  const { format, table, snapshot, location, files, faults, known, within, lists } = prepared
  const { signal } = context
  const { maxDownload } = options
  // Of a table that has nested columns alone, or none, no row can be hashed.
  const counts = options.counts || lists.every((list) => list.length === 0)
  const rowSource: RowSource = { table, snapshot, engine, scratch, maxDownload, signal }
  const counted: Counted = async (what, total, work) => {
    const bar = context.progress.start(`verify ${name}, ${what}`, total, 'rows')
    try {
      return await work((rows) => {
        bar.add(rows)
      })
    } finally {
      bar.done()
    }
  }
  const { metadata } = table
  context.touches?.(
    format === 'parquet'
      ? { role: 'input', kind: 'files', table: name, location: location ?? metadata.location }
      : {
          ...{ role: 'input', kind: 'lake', table: name, location: metadata.location },
          fields: currentSchema(metadata).fields,
        },
  )
  const { compared } = prepared
  const key =
    options.deep && reads !== undefined && compared !== undefined
      ? await keyOf(reads, compared, options.key, table.name)
      : undefined
  const total = files.reduce((sum, { file }) => sum + file.recordCount, 0)
  const read = (by: GroupHasher | undefined): Promise<LakeRows> =>
    context.during('lake', () =>
      counts
        ? countLake(rowSource, files, known.day, within)
        : counted(format === 'parquet' ? 'Parquet' : 'lake', total, (add) =>
            readLake(rowSource, files, lists, known.day, add, { range: key?.ranges, hasher: by }),
          ),
    )
  const quick = counts ? undefined : hasher
  let lake = await read(quick)
  const source = reads && (await context.during('source', () => reads.read(prepared, counted, key?.ranges)))
  const shown = counts ? [] : flatFields(rowSource, fieldsOf(rowSource, lists[0] ?? []))
  const judgedOf = ({ units, faults: found }: LakeRows): VerifiedInterval[] =>
    judge({
      known,
      within,
      lists: counts ? [] : lists,
      fields: shown,
      lake: { units, faults: [...faults, ...found] },
      source,
    })
  let judged = judgedOf(lake)
  if (quick !== undefined && judged.some(({ result }) => result !== 'match')) {
    // Nothing is called wrong but by the decoder that the export has no part in.
    lake = await read(undefined)
    judged = judgedOf(lake)
  }
  const intervals =
    reads !== undefined && compared !== undefined && key !== undefined && source !== undefined
      ? await deepen(rowSource, prepared, compared, reads, worstFirst(judged), key, { lake, source })
      : judged
  const { fields } = currentSchema(table.metadata)
  const own = new Set(lists[0])
  const left = fields.filter(({ id }) => !own.has(id))
  return {
    table: name,
    status: intervals.some(({ result }) => fails(result, options)) ? 'failed' : 'ok',
    rows: intervals.reduce((sum, { rows }) => sum + rows, 0),
    files: files.length,
    bytes: files.reduce((sum, { file }) => sum + file.fileSizeInBytes, 0),
    ...(snapshot !== undefined && { snapshotId: String(snapshot['snapshot-id']) }),
    ...(location !== undefined && { parquetLocation: location }),
    verified: {
      against: source === undefined ? 'written' : 'source',
      columns: counts ? 0 : own.size,
      ...(left.length > 0 && { columnsNotCompared: left.map((field) => field.name) }),
      ...resultCounts(intervals),
      intervals: withFewColumns(worstFirst(intervals).slice(0, mostTold)),
    },
  }
}

/** Whether a result fails the run. */
export const fails = (result: VerifiedInterval['result'], { strict }: VerifyOptions): boolean =>
  result === 'mismatch' ||
  result === 'incomplete' ||
  (strict && (result === 'changed' || result === 'unverified'))

const mostTold = 20

const results = ['incomplete', 'mismatch', 'unverified', 'changed', 'match'] as const

const resultCounts = (intervals: readonly VerifiedInterval[]): Record<(typeof results)[number], number> =>
  Object.fromEntries(
    results.map((result) => [result, intervals.filter((one) => one.result === result).length]),
  ) as Record<(typeof results)[number], number>

/** Columns that are told of all intervals together: the line is kept by whoever runs the job. */
const mostColumns = 200

function withFewColumns(intervals: readonly VerifiedInterval[]): VerifiedInterval[] {
  let left = mostColumns
  return intervals.map((one) => {
    const { columns, ...rest } = one
    if (columns === undefined || left === 0) return rest
    const told = columns.slice(0, left)
    left -= told.length
    return { ...rest, columns: told }
  })
}

/** Of equal results in the order of the days. */
const worstFirst = (intervals: readonly VerifiedInterval[]): VerifiedInterval[] =>
  results.flatMap((result) => intervals.filter((one) => one.result === result))
