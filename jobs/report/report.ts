import { addDays, dayOf, type Day } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { SourceOf } from '../provenance/source.ts'
import { crudFacts, type CrudPlaces } from './gather/crud.ts'
import { rejectsOf } from './gather/rejects.ts'
import { requestsReport, webLogsOf, whyUnread, type EngineMeans } from './gather/requests.ts'
import { recentRuns, type RunsPlace } from './gather/runs.ts'
import { lakeTables, type LakeTable } from './gather/tables.ts'
import { lakeReport } from './model/lake.ts'
import { maskedRejects, maskedUsers } from './model/mask.ts'
import { mostNeeds, needsOf } from './model/needs.ts'
import { resultsRow } from './model/results-row.ts'
import { schemaChanges } from './model/schema-changes.ts'
import { isUnread, tableRow, worstFirst } from './model/table-row.ts'
import { verdictOf } from './model/verdict.ts'
import type { CrudReport, Report } from './schema.ts'

export interface ReportOptions {
  /** The last day that it covers. */
  readonly date: Day
  /** How old the last export of a table that is exported as a whole may be, in milliseconds. */
  readonly ageMs: number
  readonly fullEmails: boolean
  /** Of a GB and month. */
  readonly price: number | undefined
  /** For the decoding of data files. */
  readonly engine: Omit<EngineMeans, 'signal'>
}

export interface ReportStores {
  /** Undefined: there is no lake, only weekly counts. */
  readonly catalog: Catalog | undefined
  readonly sourceOf: SourceOf
  /** Undefined: there are no CRUD logs. */
  readonly crud: CrudPlaces | undefined
  readonly runs: readonly RunsPlace[]
}

/**
 * Everything that there is to tell of the lake and the weekly counts up to the end of a day (lake-spec §5.2), from what is in
 * the stores: it writes nothing. The clock is the context's, asked once. Errors: those of the stores and the catalog; what is
 * wrong with a single table is in the report.
 */
export async function makeReport(
  { date, ageMs, fullEmails, price, engine }: ReportOptions,
  stores: ReportStores,
  context: Pick<JobContext, 'now' | 'signal' | 'logger'>,
): Promise<Report> {
  const { signal } = context
  const now = context.now()
  const nowMs = now.getTime()
  const dayEndMs = Date.parse(`${addDays(date, 1)}T00:00:00Z`)
  const runs = await recentRuns(stores.runs, date)
  const asOfMs = Math.min(nowMs, dayEndMs)
  const [tables, crud] = await Promise.all([
    stores.catalog === undefined
      ? []
      : lakeTables({
          ...{ catalog: stores.catalog, sourceOf: stores.sourceOf },
          ...{ runs, asOfMs, nowMs, ageMs, signal },
        }),
    stores.crud && crudFacts(stores.crud, date, context),
  ])
  const rows = worstFirst([
    ...tables.map((table) => tableRow(table, date)),
    ...(crud === undefined ? [] : [resultsRow(crud, runs, date)]),
  ])
  const needs = needsOf({ tables, runs, crud: crud?.report })
  const readable = tables.flatMap((table) => (isUnread(table) ? [] : [table]))
  const lake = lakeReport(readable, runs, price)
  const rejects = stores.crud && crud ? await rejectsIn(stores.crud, crud.report) : []
  const requests = await requestsIn(readable, date, { ...engine, signal })
  return {
    date,
    writtenAt: now.toISOString(),
    verdict: verdictOf(rows, date, now),
    needs: needs.slice(0, mostNeeds),
    ...(needs.length > mostNeeds && { needsMore: needs.length - mostNeeds }),
    tables: rows,
    ...(lake && { lake }),
    schemaChanges: schemaChanges(readable, dayOf(now) < date ? dayOf(now) : date),
    rejects: fullEmails ? rejects : maskedRejects(rejects),
    ...(crud && { crud: fullEmails ? crud.report : maskedUsers(crud.report) }),
    ...requests,
  }
}

/** Those of the week, not of the one before. */
const rejectsIn = async ({ rejects, open }: CrudPlaces, { days }: CrudReport): Promise<Report['rejects']> =>
  rejectsOf(await open(rejects), rejects, days.slice(days.length / 2))

async function requestsIn(
  tables: readonly LakeTable[],
  date: Day,
  means: EngineMeans,
): Promise<Pick<Report, 'requests' | 'unread'>> {
  const web = webLogsOf(tables)
  if (web === undefined) return { unread: [] }
  try {
    return { requests: await requestsReport(web, date, means), unread: [] }
  } catch (error) {
    means.signal.throwIfAborted()
    return { unread: [{ part: 'requests', why: whyUnread(error) }] }
  }
}
