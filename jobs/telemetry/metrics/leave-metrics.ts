import type { JobContext } from '../../context.ts'
import { asError, systemCode } from '../../errors.ts'
import { withoutSecrets } from '../../settings/secrets.ts'
import type { Summary, TableSummary } from '../../summary.ts'
import { isGood, metricGroups, type LakeSize } from './gauges.ts'
import { pushMetrics } from './push.ts'
import { writeMetrics } from './write-file.ts'

/** All that telemetry may cost a run; 200 ms of its 2 s are for what aborts slowly. */
const longestMs = 1800
/** Of this the part for reading sizes. */
const longestReadMs = 800
/** Requests at a time. */
const atATime = 8

/** What the options of `metricsOptions` say. */
interface Places {
  readonly 'metrics-file': string | undefined
  readonly 'metrics-push': string | undefined
}

/**
 * Leaves a run's gauges in files and in a Pushgateway. It fails never and takes 2 s at most: what went wrong is one warning each.
 *
 * @param tables all of the run's
 */
export async function leaveMetrics(
  { 'metrics-file': file, 'metrics-push': gateway }: Places,
  summary: Summary,
  tables: readonly TableSummary[],
  { env, logger }: Pick<JobContext, 'env' | 'logger'>,
): Promise<void> {
  const warn = (message: string): void => {
    logger.warn(withoutSecrets(message, env))
  }
  const limit = AbortSignal.timeout(longestMs)
  const sizes = new Map<string, LakeSize>()
  const reading = AbortSignal.timeout(longestReadMs)
  await each(tables.filter(isGood), reading, async ({ table, metadataLocation }) => {
    if (metadataLocation === undefined) return
    const { lakeSize } = await import('./lake-size.ts')
    sizes.set(table, await lakeSize(metadataLocation, env))
  }).catch((error: unknown) => {
    warn(`the lake's size is not in the metrics: ${reasonOf(error, reading)}`)
  })
  const groups = metricGroups(summary, tables, sizes)
  if (file !== undefined)
    await each(groups, limit, (group) => writeMetrics(file, group)).catch((error: unknown) => {
      warn(`metrics could not be written to ${file}: ${reasonOf(error, limit)}`)
    })
  if (gateway === undefined) return
  const address = URL.canParse(gateway) ? new URL(gateway) : undefined
  if (address === undefined || !/^https?:$/.test(address.protocol)) {
    warn('LAKEJOBS_METRICS_PUSH is no http or https address: no metrics were pushed')
    return
  }
  await each(groups, limit, (group) => pushMetrics(address, group, limit)).catch((error: unknown) => {
    warn(`metrics could not be pushed to ${address.host}: ${reasonOf(error, limit)}`)
  })
}

/** `work` for each, some at a time, and all in spite of failures: rejects with the first, or at once with the limit's. */
async function each<T>(
  items: readonly T[],
  limit: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items]
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      limit.throwIfAborted()
      await work(item).catch((error: unknown) => failures.push(error))
    }
  }
  const over = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => {
      reject(asError(limit.reason))
    })
  })
  try {
    await Promise.race([Promise.all(Array.from({ length: atATime }, lane)), over])
  } finally {
    left.length = 0
  }
  if (failures.length > 0) throw asError(failures[0])
}

function reasonOf(error: unknown, limit: AbortSignal): string {
  const { message, cause } = asError(error)
  if (limit.aborted) return 'it takes too long'
  return cause === undefined ? message : (systemCode(cause) ?? asError(cause).message)
}
