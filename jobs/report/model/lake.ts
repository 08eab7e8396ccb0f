import type { StorageReport } from '../../inspect/report-schema.ts'
import type { Summary } from '../../summary.ts'
import type { LakeTable } from '../gather/tables.ts'
import type { LakeReport } from '../schema.ts'

interface Amount {
  readonly files: number
  readonly bytes: number
}

const bytesPerGB = 2 ** 30

/** What the lake takes of the store; undefined without tables. Pure. `price`: of a GB and month. */
export function lakeReport(
  tables: readonly LakeTable[],
  runs: readonly Summary[],
  price: number | undefined,
): LakeReport | undefined {
  if (tables.length === 0) return undefined
  const parts = tables.flatMap(({ looked: { storage } }) => storage ?? [])
  const total = (part: (storage: StorageReport) => Amount): Amount => ({
    files: parts.reduce((sum, one) => sum + part(one).files, 0),
    bytes: parts.reduce((sum, one) => sum + part(one).bytes, 0),
  })
  const listed = total((one) => one)
  const orphans = total(({ unreferenced, unfinished }) =>
    minus(plus(unreferenced, unfinished), unreferenced.young, unreferenced.foreign, unfinished.young),
  )
  const expirable = total(({ kept }) => kept.expirable)
  const maintained = [
    ...tables.flatMap((table) => table.maintainedMs ?? []),
    ...runs
      .filter(({ job, status }) => job === 'maintain' && status === 'ok')
      .map((run) => Date.parse(run.startedAt)),
  ]
  return {
    tables: tables.length,
    rows: tables.reduce((sum, { looked }) => sum + looked.rows, 0),
    ...listed,
    live: total(({ live }) => ({ files: live.files, bytes: live.bytes })),
    kept: total(({ kept }) => ({ files: kept.files, bytes: kept.bytes })),
    unreferenced: total(({ unreferenced }) => ({ files: unreferenced.files, bytes: unreferenced.bytes })),
    freeable: plus(orphans, expirable),
    commands: [
      expirable.files > 0 ? 'lakejobs maintain expire' : [],
      orphans.files > 0 ? 'lakejobs maintain orphans --delete' : [],
    ].flat(),
    ...(price !== undefined && { price, costPerMonth: (listed.bytes / bytesPerGB) * price }),
    ...(maintained.length > 0 && { maintainedAt: new Date(Math.max(...maintained)).toISOString() }),
  }
}

const plus = (a: Amount, b: Amount): Amount => ({ files: a.files + b.files, bytes: a.bytes + b.bytes })

const minus = (from: Amount, ...parts: readonly Amount[]): Amount =>
  parts.reduce((left, part) => ({ files: left.files - part.files, bytes: left.bytes - part.bytes }), from)
