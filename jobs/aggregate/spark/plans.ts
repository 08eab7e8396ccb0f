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
import { checksumRange } from './first-look.ts'

/** Of a record without its line feed (log/scanner.ts). */
const longestLine = 1_048_575
/** Of row groups: an engine that merges what Spark wrote reads a few of them at a time. */
const rowGroupBytes = 4 * 2 ** 20

const header = 'email,action,timestamp'
const counts = ['create_count', 'read_count', 'update_count', 'delete_count']
const countsSchema = `email STRING, ${counts.map((name) => `${name} BIGINT`).join(', ')}`

/** Days that exist in each year; 29 February is left to the scanner unless it is the log's own day. */
const anyDay =
  '(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)'

/**
 * Whether a line is a row for sure: three fields, no byte that has a meaning in CSV, an email, an action and a timestamp that the
 * grammar takes (log/fields.ts). Spark's text reader leaves bytes as they are: nothing has been replaced before this looks.
 */
const clean = (day: Day): string =>
  [
    'octet_length(email) > 0',
    'octet_length(email) + octet_length(action) + octet_length(stamp) + 2 = octet_length(value)',
    "action IN ('CREATE', 'READ', 'UPDATE', 'DELETE')",
    'octet_length(stamp) = 19',
    `stamp RLIKE '^(?:${day}|${anyDay}) (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'`,
    `octet_length(value) <= ${longestLine}`,
    // A quote, CR, NUL, U+FEFF, U+FFFD.
    ...['char(34)', 'char(13)', 'char(0)', "decode(X'EFBBBF', 'UTF-8')", "decode(X'EFBFBD', 'UTF-8')"].map(
      (character) => `instr(value, ${character}) = 0`,
    ),
    'is_valid_utf8(value)',
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
    'email',
    'action',
    'octet_length(value) + 1 AS line_bytes',
    'crc32(value) AS line_crc',
    `left(stamp, 10) <> '${day}' AS is_other_day`,
    `value = '${header}' AS is_header`,
    `${clean(day)} AS is_clean`,
  ])
  const events = (action: string): string => `count_if(is_clean AND action = '${action}')`
  const passed = observed(judged, observedOfDay(day).lines, {
    lines: 'count(1)',
    bytes: 'coalesce(sum(line_bytes), 0)',
    // What is observed is a double: below 2^53.
    checksum: `coalesce(sum(line_crc) % ${checksumRange}, 0)`,
    clean: 'count_if(is_clean)',
    headers: 'count_if(is_header)',
    creates: events('CREATE'),
    reads: events('READ'),
    updates: events('UPDATE'),
    deletes: events('DELETE'),
    email_bytes: 'coalesce(sum(if(is_clean, octet_length(email), 0)), 0)',
    other_day: 'count_if(is_clean AND is_other_day)',
  })
  const grouped = groupBy(
    where(passed, 'is_clean'),
    'email',
    ['CREATE', 'READ', 'UPDATE', 'DELETE'].map(
      (action, i) => `count_if(action = '${action}') AS ${counts[i]!}`,
    ),
  )
  const sorted = sortBy(inOnePartition(grouped), 'email', 'partition')
  const events4 = counts.join(' + ')
  const written = observed(sorted, observedOfDay(day).counts, {
    emails: 'count(1)',
    creates: 'coalesce(sum(create_count), 0)',
    reads: 'coalesce(sum(read_count), 0)',
    updates: 'coalesce(sum(update_count), 0)',
    deletes: 'coalesce(sum(delete_count), 0)',
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
