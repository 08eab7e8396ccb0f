import type { JobContext, Touched } from '../../context.ts'
import { asError } from '../../errors.ts'
import { catalogName } from '../../settings/catalogs.ts'
import { withoutSecrets } from '../../settings/secrets.ts'
import { placeSetting } from '../../settings/settings.ts'
import type { Outcome, Summary } from '../../summary.ts'
import { version } from '../../version.ts'
import { datasets } from './datasets.ts'
import { eventSchema, facet, producer } from './facets.ts'
import { parentOf } from './parent.ts'
import { transportOf, type Warn } from './transport.ts'

/** A run whose START has been sent, or is on its way. */
export interface LineageRun {
  readonly touches: (what: Touched) => void
  /** Sends COMPLETE or FAIL. Never fails. */
  readonly end: (summary: Summary, outcome: Outcome) => Promise<void>
}

/** What both events may cost a run together: START is on its way while the job runs, and is waited for at its end. */
const longestMs = 1_800
/** As much of that for START, so that some is left. */
const longestForStartMs = 900

/**
 * Sends a run's START, without waiting for it. Undefined: `OPENLINEAGE_*` names no place for events. Nothing is sent twice, and what
 * went wrong is one warning.
 *
 * @param job the command's name
 * @param given its options: the group, or the only table, is part of the job's name, as others are others' lineage
 */
export function startLineage(
  job: string,
  given: Readonly<Record<string, unknown>>,
  { env, logger, runId }: Pick<JobContext, 'env' | 'logger' | 'runId'>,
): LineageRun | undefined {
  const clean = (text: string): string => withoutSecrets(text, env)
  const warn: Warn = (message) => {
    logger.warn(clean(message))
  }
  const send = transportOf(env, warn)
  if (send === undefined) return undefined
  const parent = parentOf(env, warn)
  const touched: Touched[] = []
  const event = (eventType: string, runFacets: object, more: object): object => ({
    eventType,
    eventTime: new Date().toISOString(),
    run: {
      runId,
      facets: {
        ...(parent && facet('parent', { ...parent })),
        ...facet('processing_engine', { name: 'lakejobs', version }),
        ...runFacets,
      },
    },
    job: {
      namespace: env['OPENLINEAGE_NAMESPACE'] ?? 'default',
      name: jobName(job, given),
      facets: facet('jobType', { processingType: 'BATCH', integration: 'LAKEJOBS', jobType: 'JOB' }),
    },
    producer,
    schemaURL: eventSchema,
    ...more,
  })
  let isWarned = false
  async function sendWithin(made: () => object, ms: number): Promise<void> {
    const over = new AbortController()
    const late = setTimeout(() => {
      over.abort()
    }, ms)
    try {
      await send!(made(), over.signal)
    } catch (error) {
      const reason = over.signal.aborted ? 'no answer in time' : asError(error).message
      // One place that is away is said once.
      if (!isWarned) warn(`OpenLineage: an event could not be sent: ${reason}`)
      isWarned = true
    } finally {
      clearTimeout(late)
    }
  }

  const begun = sendWithin(() => event('START', {}, { inputs: [], outputs: [] }), longestMs)
  return {
    touches: (what) => touched.push(what),
    async end(summary, outcome) {
      const until = Date.now() + longestMs
      await atMost(begun, longestForStartMs)
      const failed = summary.status === 'failed'
      const { message = '', fix } = summary.error ?? {}
      const text = clean(fix === undefined ? message : `${message}: ${fix}`)
      const runFacets = failed
        ? facet('errorMessage', { message: text, programmingLanguage: 'TypeScript' })
        : {}
      const ended = (): object =>
        event(
          failed ? 'FAIL' : 'COMPLETE',
          runFacets,
          datasets(touched, outcome.tables ?? [], {
            name: catalogName(env),
            warehouse: () => placeSetting(env, 'WAREHOUSE'),
          }),
        )
      await sendWithin(ended, until - Date.now())
    },
  }
}

function jobName(job: string, { group, table }: Readonly<Record<string, unknown>>): string {
  const tables = Array.isArray(table) ? (table as readonly unknown[]) : [table]
  const [only] = tables
  const parts = [group, tables.length === 1 ? only : undefined].filter((part) => typeof part === 'string')
  return ['lakejobs', job, ...parts].join('.')
}

async function atMost(work: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController()
  const { setTimeout: sleep } = await import('node:timers/promises')
  await Promise.race([work, sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)])
  over.abort()
}
