import { expect, it } from '@jest/globals'
import { readReplacedFile } from '../../../jobs/export/write/replaced-file.ts'
import { JobError } from '../../../jobs/errors.ts'
import { FileNotFound } from '../../../jobs/storage/errors.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const at = 'memory://store/t.parquet'
const io = memoryFileIO(() => new Date())

it.each(['', 'PAR1', 'no Parquet', 'a damaged footer\x07\0\0\0PAR1', 'a longer one\xff\xff\0\0PAR1'])(
  'nothing is known of %j',
  async (text) => {
    const { identity } = await io.write(at, Buffer.from(text, 'latin1'))
    expect(await readReplacedFile(io, at)).toEqual({
      identity,
      rows: 0,
      columns: [],
      isWhole: false,
      entries: {},
    })
  },
)

it('nothing is known of what is gone when it is read; of nothing, nothing is said', async () => {
  const { identity } = await io.write(at, Buffer.from('x'))
  const gone = { ...io, stream: () => Promise.reject(new FileNotFound(at)) }
  expect(await readReplacedFile(gone, at)).toEqual({
    identity,
    rows: 0,
    columns: [],
    isWhole: false,
    entries: {},
  })
  await io.delete(at)
  expect(await readReplacedFile(io, at)).toBeUndefined()
})

it('a store that fails is no file without rows', async () => {
  await io.write(at, Buffer.from('x'))
  const failure = new JobError('failed', 'the store is away')
  await expect(readReplacedFile({ ...io, stream: () => Promise.reject(failure) }, at)).rejects.toBe(failure)
})
