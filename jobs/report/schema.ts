import * as v from 'valibot'

/**
 * What `lakejobs report` tells: the page shows it, `--json` and `<day>.json` have it. docs/schemas/report.schema.json is
 * generated from here (tests/report/schema.test.ts fails when it is stale). Times are UTC, sizes bytes.
 */

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const whole = v.pipe(v.number(), v.integer())
const instant = v.pipe(v.string(), v.isoTimestamp())
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/))

/**
 * Of a table that is exported by day: its rows of that day. Of one that is exported as a whole: whether an export has seen the
 * end of that day. `none`: nothing is expected.
 */
const dayState = v.picklist(['verified', 'exported', 'unchanged', 'missing', 'failed', 'none'])

const tableDay = v.object({
  day,
  state: dayState,
  /** The run of ours that the state comes from, where it is known. */
  run: v.optional(v.string()),
})

const table = v.object({
  name: v.string(),
  /** `days`: exported by day; `whole`: as a whole; `results`: the weekly counts of the CRUD logs. */
  kind: v.picklist(['days', 'whole', 'results']),
  /** `wrong`: a verify found other rows than those that were written, and none has proven them since; `unread`: its metadata cannot be read. */
  state: v.picklist(['fresh', 'late', 'failed', 'unread', 'wrong']),
  /** The newest day that is there or was found to be empty. */
  freshTo: v.optional(day),
  exportedAt: v.optional(instant),
  verifiedAt: v.optional(instant),
  /** Of its last export that had some, and the median of the last 14. */
  lastRows: v.optional(count),
  medianRows: v.optional(count),
  rows: v.optional(count),
  bytes: v.optional(count),
  /** By the snapshots that are kept. */
  bytesPerWeek: v.optional(whole),
  /** 30, oldest first. */
  days: v.array(tableDay),
})

const need = v.object({
  table: v.string(),
  what: v.string(),
  /** A day or a time. */
  since: v.optional(v.string()),
  /** The command that mends it, or else what to do, in words. */
  command: v.optional(v.string()),
  fix: v.optional(v.string()),
  /** Where its log is. */
  log: v.optional(v.string()),
})

const amount = v.object({ files: count, bytes: count })

const lake = v.object({
  tables: count,
  rows: count,
  /** What the store lists: live, kept and unreferenced add up to it. */
  ...amount.entries,
  live: amount,
  kept: amount,
  unreferenced: amount,
  /** What `maintain` would free: snapshots past their time, what nothing refers to, unfinished uploads. */
  freeable: amount,
  commands: v.array(v.string()),
  /** For each GB (2^30 bytes) and month, as LAKEJOBS_PRICE_PER_GB_MONTH says. */
  price: v.optional(v.number()),
  costPerMonth: v.optional(v.number()),
  maintainedAt: v.optional(instant),
})

const actions = { create: count, read: count, update: count, delete: count }

const crudDay = v.object({
  day,
  /** `missing`: without a log; `unknown`: its counts are not cached. */
  state: v.picklist(['counted', 'missing', 'unknown']),
  ...v.partial(v.object(actions)).entries,
  rejects: v.optional(count),
})

const crud = v.object({
  from: day,
  to: day,
  /** Whether the week's result is published; else the numbers are those of the days that are cached. */
  published: v.boolean(),
  /** 14, oldest first: the week, and the one before it. */
  days: v.array(crudDay),
  total: v.object(actions),
  /** Of the week before; absent: none of its days is known. */
  before: v.optional(v.object(actions)),
  users: v.optional(count),
  usersBefore: v.optional(count),
  /** Those with the most events, 20 at most; addresses are masked unless it is asked for them. */
  top: v.array(v.object({ email: v.string(), ...actions })),
})

const rejects = v.object({
  day,
  lines: count,
  reasons: v.array(
    v.object({
      reason: v.string(),
      lines: count,
      /** The first of them: its number, and the line itself, cut at 200 characters. */
      line: count,
      raw: v.string(),
    }),
  ),
})

const requests = v.object({
  table: v.string(),
  from: day,
  to: day,
  total: count,
  /** Those that have some, oldest first. */
  hours: v.array(v.object({ hour: instant, requests: count })),
  /** `2xx` and so on; `other`: none, or no status of HTTP. */
  classes: v.array(v.object({ class: v.string(), requests: count })),
  /** The ten with the most requests; milliseconds: the least value that so many percent of them do not exceed. */
  urls: v.array(v.object({ url: v.string(), requests: count, p50: whole, p95: whole, p99: whole })),
})

export const reportSchema = v.object({
  /** The last day that it covers. */
  date: day,
  writtenAt: instant,
  verdict: v.object({
    word: v.picklist(['fresh', 'late', 'failed', 'wrong', 'empty']),
    text: v.string(),
    /** Where the report is of an earlier day than the newest that was over. */
    note: v.optional(v.string()),
  }),
  /** At most five. */
  needs: v.array(need),
  needsMore: v.optional(count),
  /** Worst first. */
  tables: v.array(table),
  lake: v.optional(lake),
  /** Of the last seven days. */
  schemaChanges: v.array(v.object({ table: v.string(), at: instant, changes: v.array(v.string()) })),
  rejects: v.array(rejects),
  crud: v.optional(crud),
  requests: v.optional(requests),
  /** Parts that could not be read, and why; the others are there all the same. */
  unread: v.array(v.object({ part: v.picklist(['requests']), why: v.string() })),
})

export type DayState = v.InferOutput<typeof dayState>
export type TableDay = v.InferOutput<typeof tableDay>
export type ReportTable = v.InferOutput<typeof table>
export type Need = v.InferOutput<typeof need>
export type LakeReport = v.InferOutput<typeof lake>
export type CrudDay = v.InferOutput<typeof crudDay>
export type CrudReport = v.InferOutput<typeof crud>
export type RejectsReport = v.InferOutput<typeof rejects>
export type RequestsReport = v.InferOutput<typeof requests>
export type Report = v.InferOutput<typeof reportSchema>
