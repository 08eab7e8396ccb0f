import { setImmediate } from 'node:timers/promises'
import { scalar } from '../../iceberg/schema/types.ts'
import { splitRows, type PartitionSource } from '../../iceberg/partition/split-rows.ts'
import { readRawFooter } from '../../lake/footer/footer.ts'
import { NotOurs } from '../../lake/pages/chunk-pages.ts'
import { ownRowGroups } from '../../lake/pages/chunks.ts'
import { openGroups, sizeOf } from '../../lake/pages/group-bytes.ts'
import type { PlannedFile } from '../../lake/read-plan.ts'
import type { FlatField, RowSource } from '../../lake/read-rows.ts'
import type { Interval } from '../../provenance/interval.ts'
import { intervalOf } from '../../provenance/intervals.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { fileCheck } from '../columns/file-check.ts'
import { pageIndexFaults } from '../columns/page-index-faults.ts'
import type { GroupHasher } from './group-threads.ts'
import type { GroupRows } from './hash-group.ts'

/** The rows of a row group, all of one interval. */
export interface OwnGroup extends GroupRows {
  readonly unit: Interval
}

export interface OwnFileRows {
  readonly groups: readonly OwnGroup[]
  /** What manifest and footer say of the file and is not true of its rows, one line each. */
  readonly faults: readonly string[]
}

export interface OwnFileRequest {
  readonly planned: PlannedFile
  /** Those that are hashed, in their order, then the day's if it is none of them. */
  readonly fields: readonly FlatField[]
  /** What tells the rows apart by day. */
  readonly day: PartitionSource | undefined
  /** How many of the fields a row's hash has, from the first on. */
  readonly mixed: number
}

/** Bytes of a row group: each thread has one or two of them, and one is read meanwhile. */
const mostGroupBytes = 2 ** 26

/** Resolves when a file's row groups are hashed. */
export type Later = () => Promise<OwnFileRows | undefined>

/**
 * Hashes the rows of a file that the export wrote, without DuckDB: several times as quick. Resolves when all its row groups are
 * with the hasher, to what waits for them. Undefined: the file is another's, or has anything that the export does not write, a
 * damage or rows of two days in a row group; then DuckDB is to read it, and to say what is wrong. Errors, of both: what the store
 * says, the signal's reason. `isLast`: no other file comes.
 */
export async function readOwnFile(
  { table: { io }, signal }: RowSource,
  { planned: { file }, fields, day, mixed }: OwnFileRequest,
  hasher: GroupHasher,
  isLast: boolean,
): Promise<Later> {
  const raw = await readRawFooter(io, file)
  const own = ownRowGroups(raw, fields)
  if (own === undefined || own.some((group) => sizeOf(group) > mostGroupBytes)) return notOurs
  const columns = { types: fields.map(({ type }) => scalar(type)), mixed }
  const hashed: Promise<OwnGroup | undefined>[] = []
  let isOurs = true as boolean
  const ofUnit = (rows: GroupRows | undefined): OwnGroup | undefined => {
    const unit = rows && unitOf(rows, day)
    if (rows !== undefined && unit !== undefined) return { ...rows, unit }
    isOurs = false
    return undefined
  }
  const location = canonicalLocation(file.filePath)
  const indexFaults = pageIndexFaults(io, location, file.fileSizeInBytes, raw.footer)
  // Awaited below; until then a failure must not count as unhandled.
  indexFaults.catch(() => undefined)
  const reader = await openGroups(io, location, hasher.room)
  try {
    let next = own[0] && reader.read(own[0])
    for (const at of own.keys()) {
      const one = await next!
      // Threads may have said meanwhile that they are free.
      await setImmediate()
      signal.throwIfAborted()
      if (!isOurs) return notOurs
      const following = own[at + 1]
      next = following && reader.read(following)
      next?.catch(() => undefined)
      const rows = hasher.hash(columns, one, isLast && following === undefined).then(ofUnit)
      rows.catch(() => undefined)
      hashed.push(rows)
    }
  } catch (error) {
    if (error instanceof NotOurs) return notOurs
    throw error
  } finally {
    await reader.close()
  }
  return async () => {
    const check = fileCheck(file, raw.footer, fields, true)
    const groups: OwnGroup[] = []
    for (const one of hashed) {
      const group = await one
      if (group === undefined) return undefined
      if (check.next(group.rows) !== group.rows) return undefined
      check.add(group.columns)
      groups.push(group)
    }
    return { groups, faults: [...check.faults(), ...(await indexFaults)] }
  }
}

/** DuckDB's to read. */
export const notOurs: Later = () => Promise.resolve(undefined)

/** The interval of all of a row group's rows; undefined: they are of several. */
function unitOf({ columns, rows }: GroupRows, day: PartitionSource | undefined): Interval | undefined {
  if (day === undefined) return intervalOf([], undefined)
  const { nulls, bounds } = columns[day.column]!
  if (nulls === rows) return intervalOf([null], 0)
  if (nulls > 0 || bounds === undefined) return undefined
  const data = Buffer.concat([bounds.min, bounds.max])
  const vector = {
    kind: 'fixed',
    width: bounds.min.length,
    data: new Uint8Array(data),
    ...{ count: 2, rows: 2, defined: undefined },
  } as const
  const [first, ...more] = splitRows([{ ...day, column: 0 }], [vector])
  return first === undefined || more.length > 0 ? undefined : intervalOf(first.partition, 0)
}
