import { expect, test } from '@jest/globals'
import type { Catalog, Table } from '../../../jobs/iceberg/catalog/catalog.ts'
import { memoryCatalog } from '../../../jobs/iceberg/catalog/memory.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const now = (): Date => new Date('2024-09-16T00:00:00Z')

async function made(io: FileIO, versionHint: boolean): Promise<{ catalog: Catalog; table: Table }> {
  let ids = 0
  const catalog = memoryCatalog('local', 'memory://lake', {
    now,
    uuid: () => `uuid-${++ids}`,
    sleep: () => Promise.resolve(),
    openIO: () => Promise.resolve(io),
    versionHint,
  })
  await catalog.createNamespace(['default'])
  const identifier = { namespace: ['default'], name: 't' }
  const schema = { type: 'struct', 'schema-id': 0, fields: [] } as const
  const table = await catalog.create(await catalog.stageCreate(identifier, { schema }), [])
  return { catalog, table }
}

const hint = 'memory://lake/default/t/metadata/version-hint.text'
const setProperty = [{ action: 'set-properties', updates: { a: 'b' } }] as const

test('names the newest metadata file after each commit', async () => {
  const io = memoryFileIO(now)
  const { catalog, table } = await made(io, true)
  const named = async (): Promise<string> =>
    `memory://lake/default/t/metadata/${(await io.read(hint)).toString()}.metadata.json`
  expect(await named()).toBe(table.metadataLocation)

  const next = await catalog.commit(table.identifier, [], setProperty)
  expect(next.metadataLocation).not.toBe(table.metadataLocation)
  expect(await named()).toBe(next.metadataLocation)
})

test('names a compressed file without its ending', async () => {
  const io = memoryFileIO(now)
  const { catalog, table } = await made(io, true)
  const gzip = { 'write.metadata.compression-codec': 'gzip' }
  const next = await catalog.commit(table.identifier, [], [{ action: 'set-properties', updates: gzip }])
  expect(next.metadataLocation).toMatch(/\.gz\.metadata\.json$/)
  expect((await io.read(hint)).toString()).toMatch(/^\d{5}-uuid-\d+$/)
})

test('a hint that cannot be written fails no commit', async () => {
  const io = memoryFileIO(now)
  const write: FileIO['write'] = (location, ...rest) =>
    location === hint ? Promise.reject(new Error('no space')) : io.write(location, ...rest)
  const { catalog, table } = await made({ ...io, write }, true)
  const next = await catalog.commit(table.identifier, [], setProperty)
  expect((await catalog.load(table.identifier)).metadataLocation).toBe(next.metadataLocation)
})

test('is left out where nobody wants it', async () => {
  const io = memoryFileIO(now)
  await made(io, false)
  expect(await io.stat(hint)).toBeUndefined()
})
