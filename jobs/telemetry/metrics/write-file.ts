import { createHash, randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolders } from '../../storage/local/make-folders.ts'
import { metricsText, type MetricGroup } from './gauges.ts'

const ending = '.prom'
/** Bytes of a file's name, with some left for `.new-…` behind it. */
const longestName = 160

/**
 * Replaces the group's file, whole or not at all; node_exporter reads what ends in `.prom` and nothing else.
 *
 * @param path `metrics/lakejobs.prom` for the files `metrics/lakejobs.<command>[.<table>].prom`
 */
export async function writeMetrics(path: string, group: MetricGroup): Promise<void> {
  const file = metricsFile(path, group)
  await makeFolders(dirname(file))
  const incoming = `${file}.new-${randomUUID().slice(0, 8)}`
  try {
    await writeFile(incoming, metricsText(group))
    await rename(incoming, file)
  } catch (error) {
    await rm(incoming, { force: true })
    throw error
  }
}

/** Where a group's metrics are: one file for each command and table. */
export function metricsFile(path: string, { command, table }: MetricGroup): string {
  const stem = path.endsWith(ending) ? path.slice(0, -ending.length) : path
  if (table === undefined) return `${stem}.${command}${ending}`
  const name = encodeURIComponent(table)
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 12)
  return `${stem}.${command}.${name.length <= longestName ? name : `${name.slice(0, longestName - 13)}~${hash}`}${ending}`
}
