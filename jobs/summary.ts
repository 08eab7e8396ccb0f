import * as v from 'valibot'

/**
 * The one line a job prints on standard output, on success and on failure. Airflow takes it as the task's
 * XCom. docs/summary.schema.json is generated from here (tests/summary.test.ts fails when it is stale).
 */

/** How many entries a list carries at most; what was cut is counted in the field named `<list>More`. */
const listCap = 20

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const day = v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/))

const tableSummary = v.object({
  table: v.string(),
  status: v.picklist(['ok', 'superseded', 'skipped', 'failed']),
  mode: v.optional(v.picklist(['full', 'day'])),
  rows: v.optional(count),
  bytes: v.optional(count),
  files: v.optional(count),
  /** `--lookback`: days that were left out, because they are in the lake as they were read. */
  unchangedDays: v.optional(count),
  /** 63-bit, therefore text. */
  snapshotId: v.optional(v.string()),
  metadataLocation: v.optional(v.string()),
  parquetLocation: v.optional(v.string()),
  error: v.optional(v.string()),
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
  status: v.picklist(['ok', 'failed']),
  milliseconds: count,
  /** What was found, or what went wrong. */
  detail: v.string(),
  field: v.optional(v.string()),
  fix: v.optional(v.string()),
})

/** A setting as it takes effect; of a secret only `set` or `unset`. */
const effectiveSetting = v.object({
  value: v.string(),
  from: v.picklist(['flag', 'environment', '.env', 'default']),
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
  /** Of `init`. */
  items: v.optional(v.array(initItem)),
  itemsMore: v.optional(count),
  /** Of `check`: those that failed first; and the settings by name. */
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
export type InitItem = v.InferOutput<typeof initItem>
export type TableSummary = v.InferOutput<typeof tableSummary>
export type Summary = v.InferOutput<typeof summarySchema>

/** `outcome` with every list cut at `listCap` entries and the rest counted in `<list>More`. */
export function capLists(outcome: Outcome): Outcome {
  const capped: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(outcome)) {
    capped[name] = Array.isArray(value) ? value.slice(0, listCap) : value
    if (Array.isArray(value) && value.length > listCap) capped[`${name}More`] = value.length - listCap
  }
  return capped
}
