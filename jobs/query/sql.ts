import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext } from '../context.ts'
import { listed, usageError } from '../errors.ts'
import { currentState } from '../lake/snapshot-choice.ts'
import { openScratch } from '../storage/scratch.ts'
import type { Outcome } from '../summary.ts'
import { judge } from './statement/judge.ts'
import { resolveTables, type Resolved } from './names.ts'
import type { ExtraTable, QueryOptions, QueryStores } from './options.ts'
import { bucketsOf, extraRelation, planTable, tableRelation, type Relation } from './relations.ts'
import { readStatement } from './statement/statement.ts'

/**
 * Answers one SELECT over the lake on standard output (lake-spec §3.2). The engine, a process of its own, parses the
 * statement; what it names is planned as every read of the lake; then the engine gets views over exactly these files, is
 * locked, and runs it. Errors: `JobError` usage for a statement that is not allowed or wrong, data for tables and files
 * that are not there or cannot be read; nothing is left behind.
 */
export async function runSql(
  options: QueryOptions,
  { catalog, extras, storeAccess, engine }: QueryStores,
  { signal, logger, now }: JobContext,
): Promise<Outcome> {
  const started = now().getTime()
  const { sql, explain } = readStatement(options.sql)
  const { choice, format, width, threads, memoryLimit, maxDownload, timeoutMs } = options
  const parsing = engine.parse(sql)
  // Whoever waits for it gets the failure; until then it is not an unhandled one.
  parsing.catch(() => undefined)
  const scratch = await openScratch(options.scratch)
  try {
    const { query, tables } = judge(await parsing)
    const resolved = await resolveTables(tables, catalog, extras)
    if (choice !== currentState) mustHaveSnapshots(resolved)
    const planned = await Promise.all(
      resolved.map(async (one) =>
        one.found.kind === 'table' ? planTable(one, one.found.table, query, choice) : undefined,
      ),
    )
    const buckets = [...new Set(planned.flatMap((one) => (one === undefined ? [] : bucketsOf(one))))]
    const store = buckets.length === 0 ? undefined : await storeAccess(buckets)
    const relations: Relation[] = []
    for (const [at, one] of resolved.entries()) {
      const folder = join(scratch.folder, `t${at}`)
      await mkdir(folder)
      const means = { scratch: folder, maxDownload, readsStore: store !== undefined, signal }
      if (one.found.kind === 'table') relations.push(await tableRelation(planned[at]!, `t${at}`, means))
      else relations.push(await extraRelation(one, one.found.extra, query, folder))
    }
    const notes = relations.map(({ note }) => note)
    const request = {
      ...{ sql, explain, notes, format, width, threads, memoryLimit, store },
      steps: relations.flatMap(({ steps }) => steps),
      paths: relations.flatMap(({ paths }) => paths),
      spill: scratch.folder,
    }
    const rows = await engine.query(request, timeoutMs)
    const seconds = (now().getTime() - started) / 1000
    if (!explain) logger.info({ rows, seconds }, `${rows} ${rows === 1 ? 'row' : 'rows'} in ${seconds} s`)
    return { rows }
  } finally {
    await engine.close()
    await scratch.remove()
  }
}

/** What is read of folders is there as it is now alone. */
function mustHaveSnapshots(resolved: readonly Resolved<ExtraTable>[]): void {
  const extras = resolved.flatMap(({ parts, found }) => (found.kind === 'extra' ? parts : []))
  if (extras.length === 0) return
  throw usageError(`there are no snapshots of ${listed(extras)}`, {
    field: 'sql',
    fix: 'leave out --as-of, --snapshot or --branch, or ask for the tables of the catalog alone',
  })
}
