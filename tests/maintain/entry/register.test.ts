import { describe, expect, it } from '@jest/globals'
import { JobError } from '../../../jobs/errors.ts'
import { registerTable } from '../../../jobs/maintain/entry/register.ts'
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

  it('names the file that a table has and that is not there', async () => {
    const path = await test.add('2024-05-01')
    await test.lake.io.delete(path)
    await expect(register(test.lake.io)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(`is not whole: ${path}`) as unknown,
    })
  })
})
