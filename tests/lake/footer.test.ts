import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { appendFile, rm, truncate } from 'node:fs/promises'
import { readFooter } from '../../jobs/lake/footer/footer.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { parquetFolder, type ParquetFolder } from './parquet-folder.ts'

let parquet: ParquetFolder
beforeAll(async () => {
  parquet = await parquetFolder()
})
afterAll(() => parquet.remove())

/** Tells what is asked of the store. */
function watched(): { readonly io: FileIO; readonly asked: string[] } {
  const io = localFileIO()
  const asked: string[] = []
  return {
    asked,
    io: {
      ...io,
      stat: (location) => {
        asked.push('stat')
        return io.stat(location)
      },
      stream: (location, range) => {
        asked.push('stream')
        return io.stream(location, range)
      },
    },
  }
}

it.each([
  ['small', 'SELECT range::int AS id FROM range(10)', 10],
  ['larger than what is asked for', 'SELECT range AS id, random() AS x FROM range(100000)', 100_000],
] as const)('of a file that is %s takes one request', async (_, sql, rows) => {
  const { io, asked } = watched()
  const file = await parquet.dataFile(sql, { id: 1 }, rows)
  const footer = await readFooter(io, file)
  expect(footer).toMatchObject({
    rows,
    columns: [{ name: 'id', fieldId: 1 }, ...(rows > 10 ? [{ name: 'x' }] : [])],
  })
  expect(footer.rowGroups).toHaveLength(Math.ceil(rows / 20_480))
  expect(asked).toEqual(['stream'])
})

it('of many columns is read whole, of a store in one request', async () => {
  const { io, asked } = watched()
  const columns = Array.from({ length: 100 }, (_, at) => `range + ${at} AS c${at}`)
  const file = await parquet.dataFile(`SELECT ${columns.join(', ')} FROM range(100000)`, { c0: 1 }, 100_000)
  const footer = await readFooter(io, file)
  expect(footer.columns).toHaveLength(100)
  expect(asked).toEqual(['stream', 'stream'])
  asked.splice(0)
  expect(await readFooter({ ...io, localPath: () => undefined }, file)).toEqual(footer)
  expect(asked).toEqual(['stream'])
})

it.each([1, 600_000])(
  'of a file that is not as its manifest says, by %d bytes, is refused',
  async (bytes) => {
    const { io } = watched()
    const file = await parquet.dataFile('SELECT random() AS x FROM range(100000)', { x: 1 }, 100_000)
    const path = file.filePath.replace('file://', '')
    const size = file.fileSizeInBytes
    await appendFile(path, Buffer.alloc(bytes))
    const says = (is: number): string => `it has ${is} bytes, the manifest says ${size}`
    await expect(readFooter(io, file)).rejects.toThrow(says(size + bytes))
    await truncate(path, size - bytes)
    await expect(readFooter(io, file)).rejects.toThrow(says(size - bytes))
    await truncate(path, 0)
    await expect(readFooter(io, file)).rejects.toThrow(says(0))
    await rm(path)
    await expect(readFooter(io, file)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('no such file') as unknown,
    })
  },
)
