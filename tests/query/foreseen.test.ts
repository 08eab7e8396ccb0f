import { beforeEach, expect, it } from '@jest/globals'
import { tableText, type Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import { foreseen } from '../../jobs/query/foreseen.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { currentState } from '../../jobs/lake/snapshot-choice.ts'
import { readFooter } from '../../jobs/lake/footer/footer.ts'
import { planRead } from '../../jobs/lake/read-plan.ts'
import { commitTo, dataFile, emptyTable, lakeInMemory, webLogs, webLogsSchema } from '../iceberg/tables.ts'

/** What the catalog was asked. */
let asked: string[]
let catalog: Catalog
beforeEach(async () => {
  const { catalog: real } = lakeInMemory()
  for (const namespace of ['default', 'shop']) await real.createNamespace([namespace]).catch(() => undefined)
  for (const [namespace, name] of [
    ['default', 'web_logs'],
    ['default', 'users'],
    ['shop', 'Users'],
  ] as const) {
    const identifier = { namespace: [namespace], name }
    await real.create(await real.stageCreate(identifier, { schema: webLogsSchema }), [])
  }
  asked = []
  catalog = {
    ...real,
    load: (identifier) => {
      asked.push(`load ${tableText(identifier)}`)
      return real.load(identifier)
    },
    listNamespaces: () => {
      asked.push('list')
      return real.listNamespaces()
    },
  }
})

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200))
const open = (): Promise<Catalog> => {
  asked.push('open')
  return Promise.resolve(catalog)
}
const ahead = async (sql: string): Promise<string[]> => {
  asked = []
  foreseen(sql, currentState, ['crud_logs'], open)
  await settled()
  return asked
}

it('asks ahead for the tables that a text may mean, and only once', async () => {
  const sql = 'select * from web_logs w join shop."Users" on true'
  const opened = foreseen(sql, currentState, ['crud_logs'], open)
  await settled()
  expect(asked).toEqual(['open', 'list', 'load default.users', 'load default.web_logs', 'load shop.Users'])
  const known = await opened()
  expect(tableText((await known.load({ namespace: ['default'], name: 'web_logs' })).identifier)).toBe(
    'default.web_logs',
  )
  await known.listNamespaces()
  expect(asked).toHaveLength(5)
})

it.each([
  ['of a local store the files, too', true],
  ['of an object store no file', false],
])('what a plan will read is read ahead, and only once: %s', async (_, isLocal) => {
  const lake = lakeInMemory()
  const table = await emptyTable(lake)
  const file = dataFile(table, { count: 1 })
  await commitTo(lake, table, { addFiles: [file] })
  const reads: string[] = []
  const watched: Catalog = {
    ...lake.catalog,
    async load(identifier) {
      const loaded = await lake.catalog.load(identifier)
      const io: FileIO = {
        ...loaded.io,
        localPath: (location) => (isLocal ? location : undefined),
        read: (location) => {
          reads.push(location)
          return lake.io.read(location)
        },
        stream: (location, range) => {
          reads.push(location)
          return lake.io.stream(location, range)
        },
      }
      return { ...loaded, io }
    },
  }
  const opened = foreseen('select * from web_logs', currentState, [], () => Promise.resolve(watched))
  await settled()
  const ahead = [expect.stringContaining('/snap-'), expect.stringContaining('-m0.avro')]
  expect(reads).toEqual(isLocal ? [...ahead, file.filePath] : ahead)
  reads.splice(0)
  const { metadata, io } = await (await opened()).load(webLogs)
  const { files } = await planRead({ name: 'web_logs', metadata, io })
  expect(files).toHaveLength(1)
  // There is none.
  await expect(readFooter(io, file)).rejects.toThrow(file.filePath)
  expect(reads).toEqual(isLocal ? [] : [file.filePath])
})

it.each([
  'select 1',
  'select * from crud_logs',
  'select * from range(3), generate_series(1, 2)',
  'with own as (select 1), more as materialized (select 2) select * from own join more on true',
  "select * from read_text('/etc/passwd')",
])('asks nothing for: %s', async (sql) => {
  expect(await ahead(sql)).toEqual([])
})

it('a catalog that is away fails whoever asks, and nobody else', async () => {
  const away = foreseen('select * from web_logs', currentState, [], () => Promise.reject(new Error('away')))
  await settled()
  await expect(away()).rejects.toThrow('away')
})
