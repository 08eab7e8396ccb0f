import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { failureOf } from '../../jobs/query/engine.ts'
import { openSession } from '../../jobs/query/session.ts'
import { parquetFolder, type ParquetFolder } from '../lake/parquet-folder.ts'

let files: ParquetFolder
let session: Awaited<ReturnType<typeof openSession>>
beforeAll(async () => {
  files = await parquetFolder()
  session = await openSession()
})
afterAll(async () => {
  session.close()
  await files.remove()
})

describe('what the engine refuses', () => {
  it('is a file’s fault wherever one of its bytes is another', async () => {
    const rows = "SELECT i::int AS a, 'x' || i % 7 AS b, i / 3.0 AS c FROM range(40) r(i)"
    const { filePath } = await files.dataFile(rows, { a: 1, b: 2, c: 3 }, 40)
    const bytes = readFileSync(filePath.replace('file://', ''))
    const damaged = join(files.folder, 'damaged.parquet')
    const source = `read_parquet('${damaged.replaceAll(/[[*]/g, '[$&]')}')`
    const codes = new Set<unknown>()
    for (let at = 4; at < bytes.length - 8; at++)
      for (const bits of [0xff, 0x10]) {
        const other = Buffer.from(bytes)
        other[at]! ^= bits
        writeFileSync(damaged, other)
        const failure = await session.connection
          .runAndReadAll(`SELECT bit_xor(hash(COLUMNS(*))) FROM ${source}`)
          .then(
            () => undefined,
            (error: unknown) =>
              failureOf({ kind: 'refused', message: (error as Error).message, during: 'query' }),
          )
        if (failure !== undefined) codes.add((failure as { readonly code?: unknown }).code)
      }
    expect([...codes]).toEqual(['data'])
  }, 60_000)

  it.each([
    "SELECT format('{:d}', 'x')",
    "SELECT regexp_matches('a', '[')",
    "SELECT 'x'::int",
    "SELECT strptime('x', '%Q')",
    'SELECT nope',
  ])('is the statement’s where that is wrong: %s', async (sql) => {
    const refused = await session.connection.run(sql).catch((error: unknown) => error as Error)
    const { message } = refused as Error
    expect(failureOf({ kind: 'refused', message, during: 'query' })).toMatchObject({ code: 'usage' })
  })
})
