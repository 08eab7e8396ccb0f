import { beforeEach, describe, expect, it } from '@jest/globals'
import pino from 'pino'
import { publishWindows, type PublishedWindow } from '../../../jobs/aggregate/iceberg/publish-windows.ts'
import { openResultTable } from '../../../jobs/aggregate/iceberg/result-table.ts'
import { effectsOf, type JobContext } from '../../../jobs/context.ts'
import type { Catalog } from '../../../jobs/iceberg/catalog/catalog.ts'
import { memoryCatalog } from '../../../jobs/iceberg/catalog/memory.ts'
import { branchSnapshot, mainBranch } from '../../../jobs/iceberg/metadata/metadata.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'
import { countsOf } from '../counts.ts'

const identifier = { namespace: ['default'], name: 'crud_weekly' }
const context: JobContext = {
  runId: '00000000-0000-4000-8000-000000000000',
  now: () => new Date(),
  logger: pino({ level: 'silent' }),
  progress: { start: () => ({ add: () => undefined, done: () => undefined }) },
  during: (_, work) => work(),
  signal: new AbortController().signal,
  env: {},
  originOf: () => 'default',
  optionNames: () => Promise.resolve([]),
}

let catalog: Catalog
let io: ReturnType<typeof memoryFileIO>
beforeEach(() => {
  io = memoryFileIO(() => new Date())
  catalog = memoryCatalog('local', 'memory://lake', {
    ...effectsOf(context),
    openIO: () => Promise.resolve(io),
  })
})

/** A window of so many emails; `meanwhile` runs once, before its rows are handed over. */
function windowOf(emails: number, meanwhile?: () => Promise<unknown>): PublishedWindow {
  let once = meanwhile
  const rows = Array.from({ length: emails }, (_, at) => [`${at}@x.org`, at, 0, 0, 1] as const)
  return {
    ...{ last: '2024-09-16', length: 7 },
    async read(take) {
      const work = once
      once = undefined
      await work?.()
      await take(countsOf(rows))
    },
  }
}

/** Rows of the table, and its files, with those that no snapshot has. */
async function state(): Promise<{ rows: string | undefined; files: number }> {
  const { metadata } = await catalog.load(identifier)
  let files = 0
  for await (const { location } of io.list('memory://lake')) files += Number(location.endsWith('.parquet'))
  return { rows: branchSnapshot(metadata, mainBranch)?.summary['total-records'], files }
}

describe('publishWindows', () => {
  it('goes into the table that another run makes while this one asks whether there is one', async () => {
    const other = await openResultTable(catalog, identifier, 7)
    const slow: Catalog = {
      ...catalog,
      async load(asked) {
        const answer = catalog.load(asked)
        await answer.catch(() => undefined)
        await publishWindows(catalog, other, [windowOf(2)], new Date(1000), context)
        return answer
      },
    }
    const own = await openResultTable(slow, identifier, 7)
    expect(own.isNew).toBe(true)
    const done = await publishWindows(catalog, own, [windowOf(3)], new Date(2000), context)
    expect(done).toMatchObject({ status: 'ok', rows: 3 })
    // One file is of the snapshot before.
    expect(await state()).toEqual({ rows: '3', files: 2 })
  })

  it('leaves a result of a run that began later', async () => {
    await publishWindows(
      catalog,
      await openResultTable(catalog, identifier, 7),
      [windowOf(1)],
      new Date(0),
      context,
    )
    const [own, other] = [
      await openResultTable(catalog, identifier, 7),
      await openResultTable(catalog, identifier, 7),
    ]
    const windows = [
      windowOf(3, () => publishWindows(catalog, other, [windowOf(2)], new Date(2000), context)),
    ]
    const done = await publishWindows(catalog, own, windows, new Date(1000), context)
    expect(done).toMatchObject({ status: 'superseded', rows: 0 })
    expect(await state()).toEqual({ rows: '2', files: 2 })
  })
})
