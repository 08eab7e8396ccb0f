import { open } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { splitRows, type PartitionSource } from '../../iceberg/partition/split-rows.ts'
import { scalar } from '../../iceberg/schema/types.ts'
import { readRawFooter } from '../../lake/footer.ts'
import type { PlannedFile } from '../../lake/read-plan.ts'
import type { FlatField, RowSource } from '../../lake/read-rows.ts'
import type { Interval } from '../../provenance/interval.ts'
import { intervalOf } from '../../provenance/intervals.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { fileCheck } from '../columns/file-check.ts'
import { NotOurs } from './chunk-pages.ts'
import { ownRowGroups, type RowGroup } from './chunks.ts'
import { hashGroup, type GroupRows } from './hash-group.ts'

export interface OwnFileRows {
  readonly groups: readonly (GroupRows & { readonly unit: Interval })[]
  /** What manifest and footer say of the file and is not true of its rows, one line each. */
  readonly faults: readonly string[]
}

export interface OwnFileRequest {
  readonly planned: PlannedFile
  /** Those that are hashed, in their order, then the day's if it is none of them. */
  readonly fields: readonly FlatField[]
  readonly hashed: number
  /** What tells the rows apart by day. */
  readonly day: PartitionSource | undefined
}

/** Bytes of a row group that are read at once; there are two at a time. */
const mostGroupBytes = 2 ** 26

/**
 * Hashes the rows of a file that the export wrote, without DuckDB: several times as quick. Undefined: it is another's, or has
 * anything that the export does not write, a damage or rows of two days in a row group; then DuckDB is to read it, and to say
 * what is wrong. Errors: what the store says, the signal's reason.
 */
export async function readOwnFile(
  { table: { io }, signal }: RowSource,
  { planned: { file }, fields, hashed, day }: OwnFileRequest,
): Promise<OwnFileRows | undefined> {
  const raw = await readRawFooter(io, file)
  const own = ownRowGroups(raw, fields)
  if (own === undefined || own.some((group) => sizeOf(group) > mostGroupBytes)) return undefined
  const types = fields.map(({ type }) => scalar(type))
  const check = fileCheck(file, raw.footer, fields, true)
  const bytes = await rangesOf(io, canonicalLocation(file.filePath))
  try {
    const groups: (GroupRows & { readonly unit: Interval })[] = []
    let next = own[0] && bytes.read(own[0])
    for (const [at, group] of own.entries()) {
      const content = await next!
      signal.throwIfAborted()
      const following = own[at + 1]
      next = following && bytes.read(following)
      next?.catch(() => undefined)
      const rows = hashGroup(group, types, hashed, content, startOf(group))
      const unit = unitOf(rows, day)
      if (unit === undefined || check.next(rows.rows) !== rows.rows) return undefined
      check.add(rows.columns)
      groups.push({ ...rows, unit })
    }
    return { groups, faults: check.faults() }
  } catch (error) {
    if (error instanceof NotOurs) return undefined
    throw error
  } finally {
    await bytes.close()
  }
}

const startOf = ({ chunks }: RowGroup): number => Math.min(...chunks.map(({ start }) => start))
const endOf = ({ chunks }: RowGroup): number => Math.max(...chunks.map(({ end }) => end))
const sizeOf = (group: RowGroup): number => endOf(group) - startOf(group)

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

interface Ranges {
  readonly read: (group: RowGroup) => Promise<Uint8Array>
  readonly close: () => Promise<void>
}

/** A file's row groups, each in one piece. What of a file on disk is read while the processor has other work. */
async function rangesOf(io: FileIO, location: string): Promise<Ranges> {
  const path = io.localPath(location)
  if (path === undefined)
    return {
      read: async (group) => {
        const range = { start: startOf(group), end: endOf(group) }
        return whole(await buffer(await io.stream(location, range)), sizeOf(group))
      },
      close: () => Promise.resolve(),
    }
  const handle = await open(path, 'r')
  const spare: Buffer[] = [Buffer.alloc(0), Buffer.alloc(0)]
  return {
    async read(group) {
      const size = sizeOf(group)
      const before = spare.shift()!
      const room = before.length < size ? Buffer.allocUnsafeSlow(size) : before
      spare.push(room)
      const { bytesRead } = await handle.read(room, 0, size, startOf(group))
      return whole(room.subarray(0, bytesRead), size)
    },
    close: () => handle.close(),
  }
}

const whole = (bytes: Uint8Array, size: number): Uint8Array => {
  if (bytes.length < size) throw new NotOurs('the end of a file')
  return bytes
}
