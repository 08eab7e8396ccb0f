import { createWriteStream } from 'node:fs'
import { join as joinPath } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { isDay, ordinalOf, type Day } from '../../calendar.ts'
import { dataError } from '../../errors.ts'
import { positionOf } from '../../iceberg/expression/position.ts'
import type { Predicate } from '../../iceberg/expression/predicate.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import { quote } from '../../lake/engine-names.ts'
import { emptyRelation } from '../../lake/scan/scan.ts'
import { patternOf } from '../../lake/scan/bring.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { join } from '../../storage/place.ts'
import type { CrudTableName } from './names.ts'

/** Where the logs, their results and the counts of days are. */
export interface CrudPlaces {
  readonly input: string
  readonly output: string
  readonly cache: string
  readonly open: (place: string) => Promise<FileIO>
}

/** A table for queries: its columns, and what makes its rows readable below a local folder. */
export interface CrudTable {
  readonly schema: Schema
  readonly open: (
    wanted: Predicate,
    scratch: string,
  ) => Promise<{ readonly sql: string; readonly paths: readonly string[]; readonly note: string }>
}

type Field = readonly [name: string, type: string]

const counts: readonly Field[] = ['create_count', 'read_count', 'update_count', 'delete_count'].map(
  (name) => [name, 'long'],
)

const schemaOf = (...columns: readonly Field[]): Schema => ({
  type: 'struct',
  'schema-id': 0,
  fields: [['day', 'date'] as const, ...columns].map(([name, type], at) => ({
    id: at + 1,
    name,
    required: true,
    type,
  })),
})

interface Means {
  readonly logger: Logger
  readonly signal: AbortSignal
}

/**
 * The tables of the CRUD logs by their names: `crud_logs`, the rows of the logs that the scanner accepts; `crud_daily`, the
 * counts of each day that an aggregate has cached, the newest of it; `crud_weekly`, the published results of seven days,
 * under the last of them. What `day` rules out is not read. Errors: `JobError` data for a place without any such file.
 */
export function crudTables(places: CrudPlaces, means: Means): ReadonlyMap<string, CrudTable> {
  const tables: Readonly<Record<CrudTableName, CrudTable>> = {
    crud_logs: logsTable(places, means),
    crud_daily: dailyTable(places, means),
    crud_weekly: weeklyTable(places, means),
  }
  return new Map(Object.entries(tables))
}

function logsTable({ input, open }: CrudPlaces, { logger, signal }: Means): CrudTable {
  const schema = schemaOf(['email', 'string'], ['action', 'string'], ['timestamp', 'timestamp'])
  return {
    schema,
    async open(wanted, scratch) {
      const [{ findInputs }, { writeRowsFile }] = await Promise.all([
        import('../inputs.ts'),
        import('./rows-file.ts'),
      ])
      const io = await open(input)
      const all = await daysBelow(io, input, (name) => /^(.{10})\.csv(?:\.gz)?$/.exec(name)?.[1])
      if (all.length === 0) throw nothing('log', input, '--input', 'lakejobs generate makes some to try')
      const days = all.filter((day) => isWanted(day, wanted))
      const files: DayFile[] = []
      let rejects = 0
      for (const [day, { location }] of await findInputs(io, input, days)) {
        const path = joinPath(scratch, `${day}.parquet`)
        const totals = await writeRowsFile(io, location, day, path, signal)
        rejects += totals.rejects
        if (totals.rows > 0) files.push({ day, path })
      }
      if (rejects > 0)
        logger.warn(
          { rejects },
          `crud_logs: ${rejects === 1 ? '1 line is no row' : `${rejects} lines are no rows`}; lakejobs aggregate says which`,
        )
      const read = ({ path }: DayFile): string => `read_parquet(${pathText(path, scratch)})`
      return relation(schema, files, read, `crud_logs: logs read: ${days.length} of ${all.length}`)
    },
  }
}

function dailyTable({ cache: place, open }: CrudPlaces, means: Means): CrudTable {
  const schema = schemaOf(['email', 'string'], ...counts)
  return {
    schema,
    async open(wanted, scratch) {
      const { openCache } = await import('../cache/cache.ts')
      const io = await open(place)
      const cache = openCache(io, place, means)
      const all = await daysBelow(io, place, (name) => /^(.{10})\/\1\.[0-9a-f]{16}\.json$/.exec(name)?.[1])
      if (all.length === 0) throw nothing('counts of days', place, '--cache', 'lakejobs aggregate makes them')
      const days = all.filter((day) => isWanted(day, wanted))
      const files: DayFile[] = []
      for (const day of days) {
        const [entry] = await cache.entriesOf(day)
        if (entry === undefined || entry.emails === 0) continue
        const path = joinPath(scratch, `${day}.parquet`)
        const file = createWriteStream(path)
        const intact = await cache.read(entry.counts, async (chunk) => {
          if (!file.write(Buffer.from(chunk)))
            await new Promise<void>((resolve) => {
              file.once('drain', resolve)
            })
        })
        await new Promise<void>((resolve, reject) => {
          file.once('error', reject).end(resolve)
        })
        if (!intact)
          throw dataError(`the counts of ${day} in ${place} are missing or damaged`, {
            field: day,
            fix: `make them again: lakejobs aggregate ${day}`,
          })
        files.push({ day, path })
      }
      const read = ({ path }: DayFile): string => `read_parquet(${pathText(path, scratch)})`
      return relation(schema, files, read, `crud_daily: days read: ${days.length} of ${all.length}`)
    },
  }
}

function weeklyTable({ output, open }: CrudPlaces, { signal }: Means): CrudTable {
  const schema = schemaOf(['email', 'string'], ...counts)
  return {
    schema,
    async open(wanted, scratch) {
      const { resultLocation } = await import('../published.ts')
      const io = await open(output)
      const all = await daysBelow(io, output, (name) => /^(.{10})\.csv$/.exec(name)?.[1])
      if (all.length === 0) throw nothing('result', output, '--output', 'lakejobs aggregate makes them')
      const days = all.filter((day) => isWanted(day, wanted))
      const files: DayFile[] = []
      for (const day of days) {
        const path = joinPath(scratch, `${day}.csv`)
        const from = await io.stream(resultLocation(output, day, 7))
        await pipeline(from, createWriteStream(path), { signal })
        files.push({ day, path })
      }
      return relation(
        schema,
        files,
        ({ path }) => readCsv(path, scratch),
        `crud_weekly: results read: ${days.length} of ${all.length}`,
      )
    },
  }
}

interface DayFile {
  readonly day: Day
  readonly path: string
}

/** A record is at most a megabyte, and may have line ends within quotes, which threads could not find. */
const readCsv = (path: string, scratch: string): string =>
  `read_csv(${pathText(path, scratch)}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
    max_line_size = 4194304, parallel = false,
    columns = {email: 'VARCHAR', ${counts.map(([name]) => `${name}: 'BIGINT'`).join(', ')}})`

const pathText = (path: string, scratch: string): string => quote(patternOf(path, scratch))

function relation(
  schema: Schema,
  files: readonly DayFile[],
  read: (file: DayFile) => string,
  note: string,
): Awaited<ReturnType<CrudTable['open']>> {
  const columns = schema.fields.slice(1).map(({ name }) => name)
  const parts = files.map(
    (file) => `SELECT DATE '${file.day}' AS day, ${columns.join(', ')} FROM ${read(file)}`,
  )
  return {
    sql: parts.length === 0 ? emptyRelation(schema.fields) : parts.join('\nUNION ALL\n'),
    paths: files.map(({ path }) => path),
    note,
  }
}

/** The days of the files in a place, sorted, each once; `dayOf` reads it from a file's name below the place. */
async function daysBelow(
  io: FileIO,
  place: string,
  dayOf: (name: string) => string | undefined,
): Promise<Day[]> {
  const days = new Set<Day>()
  for await (const { location } of io.list(place)) {
    const day = dayOf(location.slice(join(place, '').length))
    if (day !== undefined && isDay(day)) days.add(day)
  }
  return [...days].sort()
}

const nothing = (what: string, place: string, field: string, fix: string): Error =>
  dataError(`no ${what} in ${place}`, { field, fix: `give its place with ${field}; ${fix}` })

/** Whether rows of a day may be wanted. */
function isWanted(day: Day, wanted: Predicate): boolean {
  const date = ordinalOf(day)
  const file: DataFile = {
    content: 0,
    filePath: day,
    fileFormat: 'PARQUET',
    specId: 0,
    partition: [date],
    recordCount: 1,
    fileSizeInBytes: 0,
  }
  const partition = { id: 1000, name: 'day', sourceId: 1, transform: { kind: 'identity' } } as const
  return positionOf(wanted, file, [{ ...partition, type: { kind: 'date' } }]) !== 'outside'
}
