import * as v from 'valibot'
import { asError, JobError } from './errors.ts'

/**
 * The one line a job prints on standard output, on success and on failure. Airflow takes it as the task's
 * XCom. docs/schemas/summary.schema.json is generated from here (tests/summary.test.ts fails when it is stale).
 */

/** How many entries a list carries at most; what was cut is counted in the field named `<list>More`. */
const listCap = 20

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/))

const columnNumbers = {
  nulls: count,
  min: v.optional(v.string()),
  max: v.optional(v.string()),
  /** Of integers and decimals. */
  sum: v.optional(v.string()),
}

/** What `verify` found of the rows of one interval (a day, a month, `earlier`, `null` or `all`). */
const verifiedInterval = v.object({
  interval: v.string(),
  result: v.picklist(['match', 'changed', 'mismatch', 'unverified', 'incomplete']),
  rows: count,
  /** By the fingerprint that the export left. */
  writtenRows: v.optional(count),
  sourceRows: v.optional(count),
  reason: v.optional(v.string()),
  /**
   * The compared columns of the lake's rows, values as text; those of texts and bytes only where the source's differ. Of the
   * worst intervals, 200 columns in all.
   */
  columns: v.optional(
    v.array(
      v.object({
        column: v.string(),
        ...columnNumbers,
        /** By the fingerprint that the export left, where it says otherwise. */
        written: v.optional(v.object({ nulls: count })),
        /** Where they differ. */
        source: v.optional(v.object(columnNumbers)),
      }),
    ),
  ),
  /** `--deep`: rows that the lake lacks (`missing`), has besides (`extra`) or has otherwise (`changed`), 20 at most. */
  rowsThatDiffer: v.optional(
    v.array(
      v.object({
        kind: v.picklist(['missing', 'extra', 'changed']),
        /** The key's columns, or all where there is no key, as text. */
        row: v.record(v.string(), v.nullable(v.string())),
        /** The columns that differ. */
        columns: v.optional(
          v.record(v.string(), v.object({ lake: v.nullable(v.string()), source: v.nullable(v.string()) })),
        ),
      }),
    ),
  ),
})

const amount = v.object({ files: count, bytes: count })

const leftAlone = v.object({
  ...amount.entries,
  reason: v.string(),
  /** Some of them. */
  examples: v.optional(v.array(v.string())),
})

/** What `maintain` did to one table. */
const maintainedStep = v.object({
  operation: v.string(),
  dryRun: v.boolean(),
  snapshots: v.optional(v.object({ before: count, after: count })),
  /** Branches and tags that were removed by their own age. */
  removedRefs: v.optional(v.array(v.string())),
  /** Snapshots that stay because more than half of the rows went with the next one. */
  keptBeforeShrink: v.optional(v.array(v.string())),
  files: v.array(v.object({ kind: v.string(), before: amount, after: amount, freed: amount })),
  /** `compact`: files that were put into others; of a dry run those that would be, and what is expected of them. */
  rewritten: v.optional(
    v.object({
      from: amount,
      to: amount,
      rows: count,
      /** Rows that delete files named; they are in no file any more. */
      deletedRows: count,
      commits: count,
      /** How often others were in its way. */
      replanned: v.optional(count),
    }),
  ),
  /** `compact`: manifests that were put into others; of a dry run those that would be. */
  mergedManifests: v.optional(v.object({ from: amount, to: amount, commits: count })),
  /** Of the freed files those that a bucket with versions only hides. */
  hidden: v.optional(count),
  /** What nobody needs and was not removed, and why. */
  leftAlone: v.optional(v.array(leftAlone)),
  /** A report's: why `--delete` would be refused. */
  refused: v.optional(v.string()),
  /** What should have gone and could not be removed. */
  notRemoved: v.optional(v.object({ ...amount.entries, errors: v.array(v.string()) })),
})

const maintained = v.object({
  ...maintainedStep.entries,
  /** `all`: what each of its steps did. */
  steps: v.optional(v.array(maintainedStep)),
})

const tableSummary = v.object({
  table: v.string(),
  /** `unchanged`: what the export read is in every place already, and nothing was written. */
  status: v.picklist(['ok', 'unchanged', 'superseded', 'skipped', 'failed']),
  mode: v.optional(v.picklist(['full', 'day'])),
  rows: v.optional(count),
  bytes: v.optional(count),
  files: v.optional(count),
  /** `--skip-unchanged`, `--lookback`: days and rows that were left out, because they are in the lake as they were read. */
  unchangedDays: v.optional(count),
  unchangedRows: v.optional(count),
  /** Formats of which that holds for all, where others were written. */
  unchanged: v.optional(v.array(v.picklist(['parquet', 'iceberg']))),
  /** Columns that are exported as PostgreSQL writes their values, because the lake has no such type. */
  asText: v.optional(v.array(v.string())),
  /** `--lossy-cast`, `--out-of-range`: how many values they changed, by column. */
  changedValues: v.optional(v.record(v.string(), count)),
  /** What the commit changed of the table's schema and partitioning. */
  changes: v.optional(v.array(v.string())),
  changesMore: v.optional(count),
  /** What somebody should look at: columns that are not filled any more, names that readers mix up. */
  warnings: v.optional(v.array(v.string())),
  warningsMore: v.optional(count),
  /** Formats in which a later read had come first, where others were written: they are left as they are, or in part. */
  superseded: v.optional(v.array(v.picklist(['parquet', 'iceberg']))),
  /** 63-bit, therefore text. */
  snapshotId: v.optional(v.string()),
  metadataLocation: v.optional(v.string()),
  parquetLocation: v.optional(v.string()),
  error: v.optional(v.string()),
  /** What to do about the error. */
  fix: v.optional(v.string()),
  /** Of `verify`: intervals by their result, the worst 20 of them, and how many columns were compared (0: counts only). */
  verified: v.optional(
    v.object({
      against: v.picklist(['source', 'written']),
      columns: count,
      columnsNotCompared: v.optional(v.array(v.string())),
      match: count,
      changed: count,
      mismatch: count,
      unverified: count,
      incomplete: count,
      intervals: v.array(verifiedInterval),
    }),
  ),
  /** Of `maintain`: what it did, or of a dry run what it would do. */
  maintained: v.optional(maintained),
  /** A dry run's plan. */
  plan: v.optional(v.record(v.string(), v.unknown())),
})

/** One thing that `init` makes. */
const initItem = v.object({
  item: v.string(),
  state: v.picklist(['made', 'was there', 'left out', 'failed']),
  /** Why it was left out or failed, and what to do about it. */
  note: v.optional(v.string()),
})

/** One thing that `check` tried. */
const checkSummary = v.object({
  check: v.string(),
  /** `warning`: it works, and somebody should look at it. */
  status: v.picklist(['ok', 'warning', 'failed']),
  milliseconds: count,
  /** What was found, or what went wrong. */
  detail: v.string(),
  field: v.optional(v.string()),
  fix: v.optional(v.string()),
})

/** A setting as it takes effect; of a secret only `set` or `unset`. */
const effectiveSetting = v.object({
  value: v.string(),
  from: v.picklist(['flag', 'table', 'group', 'environment', '.env', 'defaults', 'default']),
})

const outcomeFields = {
  from: v.optional(day),
  to: v.optional(day),
  rows: v.optional(count),
  bytes: v.optional(count),
  files: v.optional(count),
  rejects: v.optional(count),
  /** Rows dated another day than their file's; counted for the file. */
  otherDayRows: v.optional(count),
  missingDays: v.optional(v.array(day)),
  missingDaysMore: v.optional(count),
  /** Days whose counts came from the cache, and days that were read. */
  cachedDays: v.optional(count),
  scannedDays: v.optional(count),
  /** Where the results are; of a backfill the first `listCap`. */
  outputs: v.optional(v.array(v.string())),
  outputsMore: v.optional(count),
  refreshed: v.optional(v.array(day)),
  refreshedMore: v.optional(count),
  tables: v.optional(v.array(tableSummary)),
  tablesMore: v.optional(count),
  /** Of `maintain list`: the names of all tables that are maintained, whatever their number. */
  managed: v.optional(v.record(v.string(), v.literal(true))),
  /** Of `init`. */
  items: v.optional(v.array(initItem)),
  itemsMore: v.optional(count),
  /** Of `check`: those that failed first, then warnings; and the settings by name. */
  checks: v.optional(v.array(checkSummary)),
  checksMore: v.optional(count),
  settings: v.optional(v.record(v.string(), effectiveSetting)),
}

/** Tests hold each run's line, and the published JSON schema, against it. */
export const summarySchema = v.object({
  job: v.string(),
  status: v.picklist(['ok', 'skipped', 'failed']),
  exit: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
  runId: v.string(),
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  seconds: v.pipe(v.number(), v.minValue(0)),
  /** Of these those at each stage, which may go on beside one another: `read` and `commit` of an export, and so on. */
  stages: v.optional(v.record(v.string(), v.pipe(v.number(), v.minValue(0)))),
  ...outcomeFields,
  error: v.optional(
    v.object({
      code: v.string(),
      message: v.string(),
      field: v.optional(v.string()),
      fix: v.optional(v.string()),
    }),
  ),
})

/** What a job reports of its own; main.ts adds the run's identity, time and exit. */
export type Outcome = Pick<Summary, keyof typeof outcomeFields>
export type CheckSummary = v.InferOutput<typeof checkSummary>
export type EffectiveSetting = v.InferOutput<typeof effectiveSetting>
export type RowThatDiffers = NonNullable<VerifiedInterval['rowsThatDiffer']>[number]
export type VerifiedInterval = v.InferOutput<typeof verifiedInterval>
export type Maintained = v.InferOutput<typeof maintained>
export type InitItem = v.InferOutput<typeof initItem>
export type TableSummary = v.InferOutput<typeof tableSummary>
export type Summary = v.InferOutput<typeof summarySchema>

/** The task of Airflow that a run was of. */
const airflowRun = v.object({
  dag: v.string(),
  task: v.string(),
  /** The id of the DAG's run. */
  run: v.string(),
  try: v.optional(count),
  /** Of a mapped task. */
  mapIndex: v.optional(count),
  /** Where its log is, an http(s) URL. */
  log: v.optional(v.string()),
})

/** What a run leaves for others (`lakejobs runs`): its summary, and who ran it. */
const runSchema = v.object({ ...summarySchema.entries, airflow: v.optional(airflowRun) })

export type AirflowRun = v.InferOutput<typeof airflowRun>
export type Run = v.InferOutput<typeof runSchema>

/** What a run has left; undefined for anything else. */
export function parseRun(value: unknown): Run | undefined {
  const parsed = v.safeParse(runSchema, value)
  return parsed.success ? parsed.output : undefined
}

/** `outcome` with every list, those of its tables too, cut at `listCap` entries and the rest counted in `<list>More`. */
export const capLists = (outcome: Outcome): Outcome => ({
  ...capped(outcome),
  ...(outcome.tables && { tables: outcome.tables.slice(0, listCap).map(capped) }),
})

function capped<T extends Outcome | TableSummary>(values: T): T {
  const cut: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    cut[name] = Array.isArray(value) ? value.slice(0, listCap) : (value as unknown)
    if (Array.isArray(value) && value.length > listCap) cut[`${name}More`] = value.length - listCap
  }
  return cut as T
}

/** What was done before `failure`; jobs put nothing but an `Outcome` there. */
export const outcomeOf = (failure: unknown): Outcome => (failure instanceof JobError ? failure.outcome : {})

/** Whether a run has only told what it would do: of each table there is a plan. */
export const isPlanAlone = ({ tables = [] }: Pick<Outcome, 'tables'>): boolean =>
  tables.length > 0 && tables.every(({ plan }) => plan !== undefined)

/** The summary of a table whose part of the run failed. */
export function failedTable(table: string, failure: unknown): TableSummary {
  const { message, fix }: { readonly message: string; readonly fix?: string | undefined } = asError(failure)
  return { table, status: 'failed', error: message, ...(fix !== undefined && { fix }) }
}

/** The same failure, with what was done until then. */
export function withOutcome(error: Error, outcome: Outcome): JobError {
  if (!(error instanceof JobError)) return new JobError('failed', error.message, { cause: error, outcome })
  const { code, field, fix } = error
  return new JobError(code, error.message, {
    cause: error,
    outcome,
    ...(field === undefined ? {} : { field }),
    ...(fix === undefined ? {} : { fix }),
  })
}
