import { existsSync } from 'node:fs'
import { dayOf } from '../../../jobs/calendar.ts'
import { JobError } from '../../../jobs/errors.ts'
import type { Catalog } from '../../../jobs/iceberg/catalog/catalog.ts'
import { CommitFailedError, CommitStateUnknownError } from '../../../jobs/iceberg/errors.ts'
import { compactTable } from '../../../jobs/maintain/compact/compact.ts'
import { forgetTable } from '../../../jobs/maintain/entry/forget.ts'
import { registerTable } from '../../../jobs/maintain/entry/register.ts'
import { expireTable } from '../../../jobs/maintain/expire.ts'
import { removeOrphans } from '../../../jobs/maintain/orphans.ts'
import { neighbourhood } from '../../../jobs/maintain/ownership.ts'
import { retainDays } from '../../../jobs/maintain/retain.ts'
import { memoryFolder } from '../../support/memory-folder.ts'
import { dayMs, jobContext } from '../lake-with-files.ts'
import { meanwhile, type Expected } from './changes.ts'
import { days, type HistoryLake } from './history-lake.ts'
import { Killed, type Fate } from './mortal-store.ts'

type Kind = 'compact' | 'expire' | 'orphans' | 'retain' | 'entry'
const kinds: readonly Kind[] = [
  'compact',
  'compact',
  'compact',
  'expire',
  'expire',
  'orphans',
  'orphans',
  'retain',
  'entry',
]

interface Done {
  readonly expected?: Expected
  /** More than the kind says. */
  readonly what?: string
}

/** One maintenance of a random kind, with what befalls it; a line that says so. */
export function maintenanceOf(
  at: HistoryLake,
  change: (name: string) => Promise<string>,
  note: (expected?: Expected) => Promise<void>,
): () => Promise<string> {
  const { lake, below, pick, store } = at
  const { catalog, clock } = lake

  const operations: Readonly<Record<Kind, (through: Catalog) => Promise<Done>>> = {
    async compact(through) {
      const options = {
        // With many, manifests alone are put together.
        minFiles: pick([2, 2, 3, 99]),
        maxRewrite: below(4) === 0 ? 2000 : 1e12,
        scratch: memoryFolder,
        maxDownload: 1e9,
        ...(below(2) === 0 && { batchBytes: 1 }),
      }
      const isDry = below(6) === 0
      const table = await through.load(at.identifier)
      const { rewritten, mergedManifests } = await compactTable(
        table,
        options,
        isDry,
        through,
        jobContext(lake),
      )
      const parts = [
        rewritten &&
          `${rewritten.from.files} files to ${rewritten.to.files}, ${rewritten.deletedRows} rows deleted`,
        mergedManifests && `${mergedManifests.from.files} manifests to ${mergedManifests.to.files}`,
      ].filter((part) => part !== undefined)
      return isDry || parts.length === 0 ? {} : { what: parts.join(', ') }
    },
    async expire(through) {
      const retention = { olderThanMs: below(3) * dayMs, keep: 1 + below(2), keepBeforeShrinkMs: 0 }
      const stores = { catalog: through, neighbours: neighbourhood(through) }
      await expireTable(
        await through.load(at.identifier),
        retention,
        below(6) === 0,
        stores,
        jobContext(lake),
      )
      return {}
    },
    async orphans(through) {
      const stores = { catalog: through, neighbours: neighbourhood(through) }
      const table = await through.load(at.identifier)
      // What a run has written and may commit yet, nearly as old as an orphan, or a little older.
      const { file } = await at.newFile(table, pick(days))
      const writtenMs = clock.ms
      clock.ms += dayMs - 2 * hourMs + below(3 * hourMs)
      const options = { ageMs: dayMs, maxShare: 1, isDelete: below(4) > 0 }
      try {
        await removeOrphans(table, options, stores, jobContext(lake))
      } finally {
        // Others, too, take their time.
        const age = clock.ms - writtenMs
        if (age < dayMs && !existsSync(file.filePath.replace('file://', '')))
          throw new Error(`${file.filePath} is gone, and only ${age / hourMs} hours old`)
      }
      return {}
    },
    async retain(through) {
      const first = pick(days.slice(1))
      const since = (Date.parse(dayOf(lake.effects.now())) - Date.parse(first)) / dayMs
      const table = await through.load(at.identifier)
      await retainDays(table, { days: since }, below(6) === 0, through, jobContext(lake))
      return { expected: (parent) => parent.filter((row) => row.slice(0, 10) >= first) }
    },
    async entry(through) {
      const { metadataLocation } = await through.load(at.identifier)
      await forgetTable(at.identifier, false, through)
      await register(metadataLocation!, through)
      return {}
    },
  }
  const register = async (metadata: string, through: Catalog): Promise<void> => {
    const options = { from: { metadata }, dryRun: false, openIO: () => Promise.resolve(store.io) }
    await registerTable(at.identifier, options, through, jobContext(lake))
  }
  /** The commit arrives, its answer does not. */
  const answerLost: Catalog = {
    ...catalog,
    async commit(...given) {
      await catalog.commit(...given)
      throw new CommitStateUnknownError('t', 'base', 'next', new Error('no answer'))
    },
  }
  return async () => {
    clock.ms += 1000
    const kind = pick(kinds)
    const done: string[] = []
    const fate: Fate = {
      killAt: below(2) === 0 ? 1 + below(60) : Infinity,
      // Who takes a table out of the catalog tells its writers first.
      othersAt: kind !== 'entry' && below(2) === 0 ? 1 + below(kind === 'compact' ? 20 : 40) : Infinity,
      others: async () => {
        done.push(await change(pick(meanwhile)))
      },
      refuses: below(5) === 0,
    }
    const through = below(6) === 0 ? answerLost : catalog
    const { metadata, metadataLocation } = await at.load()
    let told: Done = {}
    const ended = await store
      .live(fate, async () => {
        told = await operations[kind](through)
      })
      .then(
        () => 'done',
        (error: unknown) => {
          if (error instanceof Killed) return 'killed'
          if (error instanceof CommitStateUnknownError) return 'no answer'
          if (kind === 'retain' && error instanceof JobError && error.code === 'data') return 'refused'
          // Others took longer than a commit is tried again (commit.retry.total-timeout-ms).
          if (done.length > 0 && error instanceof CommitFailedError) return 'lost'
          throw error
        },
      )
    if (kind === 'entry' && ended === 'killed' && !(await isThere(at)))
      await register(metadataLocation!, catalog)
    await note(told.expected)
    const { refs } = (await at.load()).metadata
    if (done.length === 0 && Object.keys(metadata.refs).some((name) => refs[name] === undefined))
      throw new Error('a ref is gone')
    const what = told.what === undefined ? '' : `, ${told.what}`
    return `${kind}, ${ended}${what}${done.length > 0 ? `, meanwhile ${done.join(' ')}` : ''}`
  }
}

const hourMs = 3_600_000

const isThere = async ({ lake, identifier }: HistoryLake): Promise<boolean> =>
  (await lake.catalog.entries()).some(({ name }) => name === identifier.name)
