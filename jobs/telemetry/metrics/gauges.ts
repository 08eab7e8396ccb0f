import type { Summary, TableSummary } from '../../summary.ts'

/** What a table of the lake takes: rows and bytes of its current snapshot. */
export interface LakeSize {
  readonly rows: number | undefined
  readonly bytes: number | undefined
}

/** The gauges of one command, or of one table that it handled; their labels are the same for all. */
export interface MetricGroup {
  readonly command: string
  /** As the summary names it; undefined: of the whole run. */
  readonly table: string | undefined
  readonly gauges: readonly Gauge[]
}

interface Gauge {
  readonly name: keyof typeof helps
  readonly value: number
  readonly stage?: string
}

/** The same text in every file: node_exporter and Pushgateway take no two of one name. */
const helps = {
  lakejobs_last_success_timestamp_seconds: 'When the last run that went well ended, in seconds since 1970.',
  lakejobs_last_run_rows: 'Rows that the last run that went well wrote or counted.',
  lakejobs_last_run_bytes: 'Bytes that the last run that went well wrote.',
  lakejobs_last_run_seconds: 'How long the last run that went well took; stage "run" is all of it.',
  lakejobs_last_run_rejects: 'Lines that the last run that went well could not read.',
  lakejobs_lake_rows: 'Live rows of the table after the last run that went well.',
  lakejobs_lake_bytes: 'Live bytes of the table after the last run that went well.',
} as const

/**
 * What a run tells: of itself where it went well, and of each table that was written or already was what had been read. Of all else
 * nothing, so that the last good values stay.
 *
 * @param tables all of the run's, the summary's are cut
 * @param sizes by name of the table
 */
export function metricGroups(
  { job, status, startedAt, seconds, stages = {}, rows, bytes, rejects }: Summary,
  tables: readonly TableSummary[],
  sizes: ReadonlyMap<string, LakeSize>,
): MetricGroup[] {
  const ended = gauge('lakejobs_last_success_timestamp_seconds', Date.parse(startedAt) / 1000 + seconds)
  const amounts = (of: {
    readonly rows?: number | undefined
    readonly bytes?: number | undefined
  }): Gauge[] => [...gauge('lakejobs_last_run_rows', of.rows), ...gauge('lakejobs_last_run_bytes', of.bytes)]
  const whole: MetricGroup = {
    command: job,
    table: undefined,
    gauges: [
      ...ended,
      ...amounts({ rows, bytes }),
      ...Object.entries({ run: seconds, ...stages }).map(([stage, value]): Gauge => ({
        name: 'lakejobs_last_run_seconds',
        value,
        stage,
      })),
      ...gauge('lakejobs_last_run_rejects', rejects),
    ],
  }
  return [
    ...(status === 'ok' ? [whole] : []),
    ...tables.filter(isGood).map((one) => ({
      command: job,
      table: one.table,
      gauges: [
        ...ended,
        ...amounts(one),
        ...gauge('lakejobs_lake_rows', sizes.get(one.table)?.rows),
        ...gauge('lakejobs_lake_bytes', sizes.get(one.table)?.bytes),
      ],
    })),
  ]
}

/** Superseded: a later run has told of it. With a plan it was a dry run's. */
export const isGood = ({ status, plan }: TableSummary): boolean =>
  (status === 'ok' || status === 'unchanged') && plan === undefined

const gauge = (name: Gauge['name'], value: number | undefined): Gauge[] =>
  value === undefined ? [] : [{ name, value }]

/** The text format 0.0.4 of Prometheus (prometheus.io/docs/instrumenting/exposition_formats). */
export const metricsText = ({ command, table, gauges }: MetricGroup): string =>
  gauges
    .map(({ name, value, stage }, at) => {
      const labels = Object.entries({ command, table, stage }).flatMap(([label, text]) =>
        text === undefined ? [] : [`${label}="${escaped(text)}"`],
      )
      // Once for each name, whose lines are one behind the other.
      const head = `# HELP ${name} ${helps[name]}\n# TYPE ${name} gauge\n`
      return `${gauges[at - 1]?.name === name ? '' : head}${name}{${labels.join(',')}} ${value}\n`
    })
    .join('')

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
