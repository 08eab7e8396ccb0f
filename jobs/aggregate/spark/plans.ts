import type { Day } from '../../calendar.ts'
import {
  groupBy,
  inOnePartition,
  observed,
  readFiles,
  select,
  sortBy,
  where,
  writeFiles,
  type Plan,
} from '../../spark/plan.ts'
import { actionNames, headerLine } from '../log/fields.ts'
import { checksumRange } from './line-checksums.ts'

/** Of row groups: an engine that merges what Spark wrote reads a few of them at a time. */
const rowGroupBytes = 4 * 2 ** 20

const counts = ['create_count', 'read_count', 'update_count', 'delete_count']
/** Of counts, one for each action. */
const eventSums = {
  creates: 'coalesce(sum(create_count), 0)',
  reads: 'coalesce(sum(read_count), 0)',
  updates: 'coalesce(sum(update_count), 0)',
  deletes: 'coalesce(sum(delete_count), 0)',
}
const countsSchema = `email STRING, ${counts.map((name) => `${name} BIGINT`).join(', ')}`

/** Days that exist in each year; 29 February is left to the scanner unless it is the log's own day. */
const anyDay =
  '(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)'

const hours = Array.from({ length: 24 }, (_, hour) => `'${String(hour).padStart(2, '0')}:'`).join(', ')
const sixty = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))
const minutes = sixty.map((minute) => `'${minute}:'`).join(', ')
const seconds = sixty.map((second) => `'${second}'`).join(', ')

/**
 * Whether a line is a row for sure: three fields, an email, an action and a timestamp that the grammar takes (log/fields.ts). Holds
 * only of text without quotes, CR and the like (first-look.ts). Spark's text reader leaves bytes as they are: nothing has been
 * replaced before this looks.
 */
const clean = (day: Day): string =>
  [
    'octet_length(email) > 0',
    'octet_length(email) + octet_length(action) + 21 = octet_length(value)',
    `action IN (${actionNames.map((name) => `'${name}'`).join(', ')})`,
    // Sets of texts are looked up: several times as fast as a pattern, which is for other days alone.
    `(left(stamp, 11) = '${day} ' OR left(stamp, 11) RLIKE '^${anyDay} $')`,
    `substr(stamp, 12, 3) IN (${hours})`,
    `substr(stamp, 15, 3) IN (${minutes})`,
    `right(stamp, 2) IN (${seconds})`,
  ].join(' AND ')

/**
 * What the plan of a day observes while rows pass, and of the counts that it writes. Names are the session's: two operations at once
 * must not share one.
 */
export const observedOfDay = (day: Day): { readonly lines: string; readonly counts: string } => ({
  lines: `lines of ${day}`,
  counts: `counts of ${day}`,
})

/**
 * Counts the log at `log` into one Parquet file below the folder `target`: one row per email, sorted by its bytes, as
 * counts-file.ts describes. Holds only if what was observed accounts for each byte (proven-counts.ts).
 */
export function countDay(day: Day, log: string, target: string): Plan {
  const lines = readFiles('text', 'value STRING', [log], { lineSep: '\n' })
  const fields = select(lines, [
    'value',
    "substring_index(value, ',', 1) AS email",
    "substring_index(substring_index(value, ',', 2), ',', -1) AS action",
    "substring_index(value, ',', -1) AS stamp",
  ])
  const judged = select(fields, [
    `CASE WHEN ${clean(day)} THEN email END AS email`,
    'action',
    'crc32(value) AS line_crc',
    `left(stamp, 10) <> '${day}' AS is_other_day`,
    `value = '${headerLine}' AS is_header`,
  ])
  const events = (action: string): string => `count_if(email IS NOT NULL AND action = '${action}')`
  // Lines that are no rows have no email: a group of their own. Observed are the groups, of which there are far fewer than lines.
  const grouped = groupBy(judged, 'email', [
    ...actionNames.map((action, i) => `${events(action)} AS ${counts[i]!}`),
    'sum(line_crc) AS crc',
    'count_if(email IS NULL) AS others',
    'count_if(is_header) AS headers',
    'count_if(email IS NOT NULL AND is_other_day) AS other_day',
  ])
  const passed = observed(grouped, observedOfDay(day).lines, {
    // What is observed is a double: below 2^53.
    checksum: `coalesce(sum(crc % ${checksumRange}) % ${checksumRange}, 0)`,
    others: 'coalesce(sum(others), 0)',
    headers: 'coalesce(sum(headers), 0)',
    other_day: 'coalesce(sum(other_day), 0)',
    ...eventSums,
  })
  const rows = select(where(passed, 'email IS NOT NULL'), ['email', ...counts])
  const sorted = sortBy(inOnePartition(rows), 'email', 'partition')
  const events4 = counts.join(' + ')
  const written = observed(sorted, observedOfDay(day).counts, {
    emails: 'count(1)',
    ...eventSums,
    email_bytes: `coalesce(sum(octet_length(email) * (${events4})), 0)`,
  })
  return writeFiles(written, 'parquet', target, {
    compression: 'snappy',
    maxRecordsPerFile: '0',
    'parquet.block.size': String(rowGroupBytes),
  })
}

/**
 * Sums counts files per email into files below `target`, sorted by ranges of the email's bytes: the text that counts-text.ts reads.
 */
export function mergeDays(files: readonly string[], target: string): Plan {
  const days = readFiles('parquet', countsSchema, files, { mergeSchema: 'false' })
  const sums = groupBy(
    days,
    'email',
    counts.map((name) => `sum(${name}) AS ${name}`),
  )
  const text = select(sortBy(sums, 'email', 'whole'), [
    `concat_ws(',', octet_length(email), ${counts.join(', ')}, email) AS value`,
  ])
  return writeFiles(observed(text, 'merged', { rows: 'count(1)' }), 'text', target, {
    compression: 'none',
    lineSep: '\n',
    maxRecordsPerFile: '0',
  })
}
