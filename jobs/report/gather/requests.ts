import { addDays, msPerDay, ordinalOf, type Day } from '../../calendar.ts'
import { asError, JobError } from '../../errors.ts'
import { and, atLeast, lessThan } from '../../iceberg/expression/predicate.ts'
import { currentSchema } from '../../iceberg/metadata/metadata.ts'
import type { NestedField } from '../../iceberg/schema/types.ts'
import { lakeEngine, type LakeEngine } from '../../lake/engine.ts'
import { planRead } from '../../lake/read-plan.ts'
import { readyRows } from '../../lake/read-rows.ts'
import { openScratch } from '../../storage/scratch.ts'
import type { RequestsReport } from '../schema.ts'
import type { LakeTable } from './tables.ts'

export interface EngineMeans {
  readonly scratch: string
  readonly memoryLimit: number
  readonly threads: number
  readonly maxDownload: number
  readonly signal: AbortSignal
}

/** The columns of web logs, by their names, and the types that they may have. */
const wanted = {
  url: ['string'],
  status_code: ['int', 'long'],
  response_time: ['int', 'long'],
  timestamp: ['timestamp', 'timestamptz'],
} as const

const daysRead = 7
const urlsShown = 10

/** The columns of a table of web logs; undefined: it is none. */
function columnsOf({ table: { metadata } }: LakeTable): NestedField[] | undefined {
  const { fields } = currentSchema(metadata)
  const found = Object.entries(wanted).flatMap(([name, types]) =>
    fields.filter(({ name: own, type }) => own === name && (types as readonly unknown[]).includes(type)),
  )
  return found.length === Object.keys(wanted).length ? found : undefined
}

/** The web logs among tables: one that is called so, else the first by name. */
export const webLogsOf = (tables: readonly LakeTable[]): LakeTable | undefined => {
  const all = tables.filter((table) => columnsOf(table) !== undefined)
  return all.find(({ name }) => name.endsWith('.web_logs')) ?? all[0]
}

/**
 * What the web logs of the seven days up to `last` tell, by the rows of the lake as `lakejobs sql` reads them: casts and deletes
 * hold. Rows without a time are in no day; those without url or response time are in no percentile. Errors: as of `readyRows`.
 */
export async function requestsReport(web: LakeTable, last: Day, means: EngineMeans): Promise<RequestsReport> {
  const { name, table } = web
  const columns = columnsOf(web)!
  const from = addDays(last, 1 - daysRead)
  const micros = (day: Day): bigint => BigInt(ordinalOf(day)) * BigInt(msPerDay) * 1000n
  const [first, end] = [micros(from), micros(addDays(last, 1))]
  const readTable = { name, metadata: table.metadata, io: table.io }
  const { snapshot, files } = await planRead(readTable, {
    filter: and(atLeast('timestamp', first), lessThan('timestamp', end)),
    columns: columns.map((column) => column.name),
  })
  const empty = { table: name, from, to: last, total: 0, hours: [], classes: [], urls: [] }
  if (files.length === 0) return empty
  const scratch = await openScratch(means.scratch)
  const engine = lakeEngine({ ...means, scratch: scratch.folder })
  try {
    const source = { table: readTable, snapshot, ...means, scratch: scratch.folder }
    const { ready } = await readyRows(source, files, columns)
    const [url, status, time, stamp] = columns.map(({ id }) => `c${id}`)
    await engine.take(ready.steps, ready.location)
    const rows = `(SELECT * FROM (${ready.sql}) WHERE epoch_us(${stamp!}) >= ${first} AND epoch_us(${stamp!}) < ${end})`
    return {
      ...empty,
      ...(await counted(engine, ready.location, rows, {
        url: url!,
        status: status!,
        time: time!,
        stamp: stamp!,
      })),
    }
  } finally {
    engine.close()
    await scratch.remove()
  }
}

type Names = Readonly<Record<'url' | 'status' | 'time' | 'stamp', string>>

async function counted(
  engine: LakeEngine,
  location: string,
  rows: string,
  { url, status, time, stamp }: Names,
): Promise<Pick<RequestsReport, 'total' | 'hours' | 'classes' | 'urls'>> {
  const byHour = await answer(
    engine,
    location,
    `SELECT epoch_us(${stamp}) // 3600000000 AS hour,
       CASE WHEN ${status} BETWEEN 100 AND 599 THEN ${status} // 100 ELSE 0 END AS class, count(*) AS requests
     FROM ${rows} GROUP BY ALL ORDER BY ALL`,
  )
  const hours = new Map<number, number>()
  const classes = new Map<number, number>()
  for (const [hour, kind, count] of byHour.map((row) => row.map(Number))) {
    hours.set(hour!, (hours.get(hour!) ?? 0) + count!)
    classes.set(kind!, (classes.get(kind!) ?? 0) + count!)
  }
  // Exact, of counts by value: as many as there are times, not as many as there are rows.
  const byUrl = await answer(
    engine,
    location,
    `WITH most AS (SELECT ${url} AS url, count(*) AS requests FROM ${rows} WHERE ${url} IS NOT NULL
         GROUP BY 1 ORDER BY requests DESC, url LIMIT ${urlsShown}),
       times AS (SELECT ${url} AS url, ${time} AS value, count(*) AS rows FROM ${rows}
         WHERE ${time} IS NOT NULL AND ${url} IN (SELECT url FROM most) GROUP BY ALL),
       ranked AS (SELECT *, sum(rows) OVER (PARTITION BY url ORDER BY value) AS upto, sum(rows) OVER (PARTITION BY url) AS whole FROM times)
     SELECT url, any_value(requests), min(value) FILTER (upto >= 0.5 * whole), min(value) FILTER (upto >= 0.95 * whole),
       min(value) FILTER (upto >= 0.99 * whole)
     FROM most JOIN ranked USING (url) GROUP BY url ORDER BY 2 DESC, url`,
  )
  return {
    total: [...hours.values()].reduce((sum, count) => sum + count, 0),
    hours: [...hours].map(([hour, requests]) => ({
      hour: new Date(hour * 3_600_000).toISOString(),
      requests,
    })),
    classes: [...classes]
      .sort(([a], [b]) => (a === 0 ? 1 : b === 0 ? -1 : a - b))
      .map(([kind, requests]) => ({ class: kind === 0 ? 'other' : `${kind}xx`, requests })),
    urls: byUrl.map(([name, ...numbers]) => {
      const [requests = 0, p50 = 0, p95 = 0, p99 = 0] = numbers.map(Number)
      return { url: String(name), requests, p50, p95, p99 }
    }),
  }
}

async function answer(engine: LakeEngine, location: string, sql: string): Promise<(readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = []
  for await (const chunk of engine.stream(sql, location)) rows.push(...chunk.getRows())
  return rows
}

/** What the page says of a part that could not be read; what is not the data's fault is thrown. */
export function whyUnread(thrown: unknown): string {
  const error = asError(thrown)
  if (error instanceof JobError && error.code === 'data')
    return error.fix === undefined ? error.message : `${error.message}: ${error.fix}`
  throw error
}
