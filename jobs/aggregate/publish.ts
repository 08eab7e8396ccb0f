import type { Day } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import { asError, dataError } from '../errors.ts'
import { join } from '../storage/place.ts'
import { withOutcome, type Outcome, type TableSummary } from '../summary.ts'
import type { EmailCounts } from './counts.ts'
import type { CountedDay } from './day/day-store.ts'
import { findInputs } from './inputs.ts'
import { readPublished, resultLocation, writePublished, type Published } from './published.ts'
import { outdatedWindows, type DueWindow } from './refresh.ts'
import { objectionTo, publishRejects } from './rejects.ts'
import { assertReplaceable } from './result/replaceable.ts'
import { tableFor, type Counted, type Run } from './run.ts'
import { warnOfStrangeDays } from './strange-days.ts'
import { daysOf, type Window } from './window.ts'
import { publishResult, readResult, type PublishedResult, type WindowSources } from './window-result.ts'

/** Published results that are looked at, at once. */
const checksAtOnce = 8

/**
 * Publishes rejects and results of windows, every day of which is counted, in that order, then their rows in the table. Errors:
 * `JobError` data for days with too many rejects and results that would shrink; nothing is published then.
 */
export async function publish(
  run: Run,
  windows: readonly Window[],
  missing: readonly Day[],
  counted: Counted,
): Promise<Outcome> {
  const { options, stores, context } = run
  const asked = [...counted.keys()]
  const refreshed = options.refresh ? await outdatedWindows(run, windows, counted) : []
  await rejectsOf(run, counted)
  const report = {
    ...reportOf(asked.map((day) => counted.get(day)!)),
    from: daysOf(windows)[0],
    to: windows.at(-1)?.last,
    missingDays: [...missing],
  }
  for (const [day, value] of [...counted, ...refreshed.flatMap(({ gone }) => [...gone])]) {
    const objection = objectionTo(day, value, options.maxRejects, options.rejects)
    if (objection !== undefined) throw withOutcome(objection, report)
  }
  warnOfStrangeDays(counted, context.logger)
  const all = [...windows.map((window): DueWindow => ({ window, gone: new Map() })), ...refreshed]
  await mapConcurrently(all, checksAtOnce, async (due) => {
    const { window } = due
    await assertReplaceable(stores.output, options, { window, events: eventsOf(sourcesOf(due, counted)) })
  }).catch((error: unknown) => {
    throw withOutcome(asError(error), report)
  })
  const published: PublishedResult[] = []
  const records: Published[] = []
  for (const due of all) {
    context.signal.throwIfAborted()
    const { result, record } = await publishWindow(run, due, counted)
    published.push(result)
    records.push(record)
  }
  const tables = await publishToTable(run, all, counted)
  await noteInTable(run, records)
  return {
    ...report,
    bytes: published.reduce((sum, { bytes }) => sum + bytes, 0),
    files: published.length,
    outputs: published.map(({ location }) => location),
    ...(tables.length > 0 && { tables }),
    ...(options.refresh ? { refreshed: [...new Set(refreshed.map(({ window }) => window.last))] } : {}),
  }
}

const eventsOf = ({ days }: WindowSources): number =>
  [...days.values()].reduce((sum, { entry }) => sum + entry.totals.rows, 0)

/** Publishes the days' rejects; a day whose cached rejects are damaged is read again. */
async function rejectsOf({ options, stores, context, results }: Run, counted: Counted): Promise<void> {
  let days: ReadonlyMap<Day, CountedDay> = counted
  for (;;) {
    const damaged = await publishRejects(stores.output, options.rejects, days, results.cache, context.signal)
    if (damaged.length === 0) return
    for (const day of damaged) await recount({ options, stores, results }, day, counted)
    days = new Map(damaged.map((day) => [day, counted.get(day)!]))
  }
}

/** Reads a day of `days` again whose cached files are damaged. */
async function recount(
  { options, stores, results }: Pick<Run, 'options' | 'stores' | 'results'>,
  day: Day,
  days: Counted,
): Promise<void> {
  const input = (await findInputs(stores.input, options.input, [day])).get(day)
  if (input === undefined)
    throw dataError(`the log of ${day} is gone, and what the cache kept of it is damaged`, {
      field: join(options.input, `${day}.csv`),
      fix: 'put the log back, or ask for a window without it',
    })
  days.set(day, await results.store.recount(day, input))
}

function reportOf(days: readonly CountedDay[]): Outcome {
  const sum = (value: (day: CountedDay) => number): number =>
    days.reduce((total, day) => total + value(day), 0)
  return {
    rows: sum(({ entry }) => entry.totals.rows),
    rejects: sum(({ entry }) => entry.totals.rejects),
    otherDayRows: sum(({ entry }) => entry.totals.otherDayRows),
    cachedDays: sum(({ cached }) => Number(cached)),
    scannedDays: sum(({ cached }) => Number(!cached)),
  }
}

async function publishWindow(
  run: Run,
  due: DueWindow,
  counted: Counted,
): Promise<{ readonly result: PublishedResult; readonly record: Published }> {
  const { options, stores, results } = run
  const { last, days, length } = due.window
  const location = resultLocation(options.output, last, length)
  for (;;) {
    const sources = sourcesOf(due, counted)
    const used = sources.days
    const result = await publishResult(location, sources, results)
    if ('damaged' in result) {
      await recount(run, result.damaged, due.gone.has(result.damaged) ? due.gone : counted)
      continue
    }
    const table = tableFor(run, length)
    const before = await readPublished(stores.output, options.output, last, length)
    const record: Published = {
      last,
      length,
      days: Object.fromEntries([...used].map(([day, { entry }]) => [day, entry.key])),
      missingDays: days.filter((day) => !used.has(day)),
      rejects: Object.fromEntries([...used].map(([day, { entry }]) => [day, entry.totals.rejects])),
      rows: result.rows,
      events: eventsOf(sources),
      sha256: result.sha256,
      tables: { ...(table !== undefined && { [table]: '' }), ...before?.tables },
    }
    await writePublished(stores.output, options.output, record)
    return { result, record }
  }
}

/** The days of a window that have a log, as they were counted, and of those without one what its last result counted. */
function sourcesOf({ window, gone }: DueWindow, counted: Counted): WindowSources {
  const { last, length, days } = window
  const found = days.map((day) => [day, counted.get(day) ?? gone.get(day)] as const)
  return {
    last,
    length,
    days: new Map(found.filter((one): one is [Day, CountedDay] => one[1] !== undefined)),
  }
}

async function publishToTable(
  run: Run,
  due: readonly DueWindow[],
  counted: Counted,
): Promise<TableSummary[]> {
  const { table, stores, context, results, startedAt } = run
  if (table === undefined || stores.catalog === undefined) return []
  const { publishWindows } = await import('./iceberg/publish-windows.ts')
  const wanted = due.filter(({ window }) => tableFor(run, window.length) !== undefined)
  const published = wanted.map((one) => ({
    ...one.window,
    read: (take: (batch: EmailCounts) => Promise<void>) => readResult(sourcesOf(one, counted), results, take),
  }))
  return [await publishWindows(stores.catalog, table, published, startedAt, context)]
}

/** Notes that the table has the results' rows: until then `--refresh` takes them for due, as their files are there before. */
async function noteInTable(run: Run, records: readonly Published[]): Promise<void> {
  const { stores, options } = run
  for (const record of records) {
    const table = tableFor(run, record.length)
    if (table === undefined || record.tables?.[table] === record.sha256) continue
    const tables = { ...record.tables, [table]: record.sha256 }
    await writePublished(stores.output, options.output, { ...record, tables })
  }
}
