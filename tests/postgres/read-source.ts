import { createDecoder, type RowGroup } from '../../jobs/postgres/copy/decoder.ts'
import type { PostgresSettings } from '../../jobs/postgres/connection/settings.ts'
import { copyRange } from '../../jobs/postgres/copy-range.ts'
import { parseTableName } from '../../jobs/postgres/identifiers.ts'
import {
  connectSource,
  lockForReading,
  openReader,
  openSource,
  type Source,
} from '../../jobs/postgres/snapshot.ts'
import type { TablePlan, TableRequest } from '../../jobs/postgres/source/plan.ts'
import { rowsOf } from '../support/copy-stream.ts'

export const sourceOptions = { workers: 2, rowSecurity: false, lockTimeoutMs: 5000 }

/** Opens the tables; a table that cannot be planned throws its error. */
export async function open(
  settings: PostgresSettings,
  table: string | TableRequest,
  options: Partial<typeof sourceOptions> = {},
): Promise<{ source: Source; plan: TablePlan }> {
  const request = typeof table === 'string' ? { table: parseTableName(table) } : table
  const connected = await connectSource(settings, [request.table], { prefix: 'POSTGRES' })
  const source = await openSource(connected, [request], { ...sourceOptions, ...options })
  const [planned] = source.tables
  if (planned !== undefined && 'plan' in planned) return { source, plan: planned.plan }
  await source.close()
  throw planned!.error
}

/** Reads every range of the plan through one reader. */
export async function readAll(source: Source, plan: TablePlan, maxRowBytes = 2 ** 28): Promise<RowGroup[]> {
  const decoder = createDecoder({
    columns: plan.columns,
    checkUtf8: plan.checkUtf8,
    groupRows: 10_000,
    groupBytes: 2 ** 26,
    maxRowBytes,
  })
  const groups: RowGroup[] = []
  const reader = await openReader(source.access)
  try {
    await lockForReading(reader, plan)
    for (const range of plan.ranges) {
      await copyRange(reader, source.access, plan, range, decoder, (group) => void groups.push(group))
    }
    const rest = decoder.take(true)
    return rest === undefined ? groups : [...groups, rest]
  } finally {
    await reader.close()
  }
}

/** One column of all groups, each value by `read`. */
export const columnOf = <T>(
  groups: readonly RowGroup[],
  index: number,
  read: (value: Buffer) => T,
): (T | null)[] => groups.flatMap(({ vectors }) => rowsOf(vectors[index]!, read))

/** Opens, reads and closes: the table's columns as hex strings. */
export async function readTable(
  settings: PostgresSettings,
  table: string | TableRequest,
  options: Partial<typeof sourceOptions> = {},
): Promise<{ plan: TablePlan; groups: RowGroup[] }> {
  const { source, plan } = await open(settings, table, options)
  try {
    return { plan, groups: await readAll(source, plan) }
  } finally {
    await source.close()
  }
}

export const rowCount = (groups: readonly RowGroup[]): number =>
  groups.reduce((sum, { rows }) => sum + rows, 0)
