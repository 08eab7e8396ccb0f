import { describe, expect, it } from '@jest/globals'
import { JobError } from '../../../jobs/errors.ts'
import { registerTable } from '../../../jobs/maintain/entry/register.ts'
import { forgottenTables, unreadProperty } from '../../../jobs/maintain/forgotten.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { eachWithFiles, jobContext } from '../lake-with-files.ts'

const test = eachWithFiles()

async function register(io: FileIO): Promise<readonly string[]> {
  const from = { metadata: test.table.metadataLocation! }
  const options = { from, dryRun: false, openIO: () => Promise.resolve(io) }
  const copy = { namespace: ['default'], name: 'again' }
  await test.lake.catalog.drop({ namespace: ['default'], name: 'web_logs' }, undefined)
  return registerTable(copy, options, test.lake.catalog, jobContext(test.lake))
}

describe('register', () => {
  it('says of a store that is away that it is away, and nothing of the table', async () => {
    await test.add('2024-05-01')
    const away = new JobError('failed', 'the store is away')
    await expect(register({ ...test.lake.io, stat: () => Promise.reject(away) })).rejects.toBe(away)
  })

  it('takes back what tells of a table in its folder that could not be read, and of no other', async () => {
    await test.add('2024-05-01')
    const { location } = test.table.metadata
    const notes = { [unreadProperty('1')]: `${location}/`, [unreadProperty('2')]: `${location}_old` }
    await test.lake.catalog.updateNamespace(['default'], notes, [])
    await register(test.lake.io)
    expect(await forgottenTables(test.lake.catalog)).toEqual([
      { uuid: 'unread-2', location: `${location}_old` },
    ])
  })

  it('names the file that a table has and that is not there', async () => {
    const path = await test.add('2024-05-01')
    await test.lake.io.delete(path)
    await expect(register(test.lake.io)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(`is not whole: ${path}`) as unknown,
    })
  })
})
