import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { ensureBucket, s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { listed } from '../storage/listed.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { startMinio, type Minio } from '../support/minio.ts'
import { documented } from './documented.ts'
import { keyWith, without, type Policy, type Statement } from './session-key.ts'

const { place } = eachWithDatabase()
let minio: Minio
beforeAll(async () => {
  minio = await startMinio()
}, 600_000)
afterAll(() => minio.stop())

const policy = JSON.parse(documented('maintainer')) as Policy
const store = () => s3FileIO({ ...minio, region: 'us-east-1' })
const objects = async (): Promise<string[]> =>
  (await listed(store(), 's3://logs-bucket')).map(({ location }) => location).sort()
const lakejobs = (words: string, key: Record<string, string>): Promise<Ran> =>
  run(words.split(' '), { ...place, env: { ...place.env, ...key } })

beforeEach(async () => {
  await ensureBucket('s3://logs-bucket', { ...minio, region: 'us-east-1', createBucket: true })
  await store().deleteAll(await objects())
  await place.query('CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 100) i; ANALYZE t')
  const exporter = await keyWith(minio, JSON.parse(documented('exporter')) as Policy)
  for (let time = 0; time < 3; time++)
    expect(await lakejobs('export --table t --format iceberg --mode full', exporter)).toMatchObject({
      exit: 0,
    })
  await store().write(
    `s3://logs-bucket/iceberg/default/t/data/00000-0-${randomUUID()}-00001.parquet`,
    Buffer.from('stray'),
  )
  // Ages go by the store's clock, which tells whole seconds: younger files are of no age.
  await setTimeout(1100)
}, 120_000)

const orphans = 'maintain orphans --table t --delete --orphan-age 0 --allow-young-orphans --max-orphans 100%'
const expire = 'maintain expire --table t --older-than 0 --keep 1 --keep-before-shrink 0'

describe('a key that may not', () => {
  it.each([
    ['s3:ListBucket', orphans],
    ['s3:DeleteObject', orphans],
    ['s3:ListBucketMultipartUploads', orphans],
    ['s3:GetObject', orphans],
    ['s3:GetObject', expire],
    ['s3:DeleteObject', expire],
  ])(
    '%s: `%s` names it with the statement that allows it, and deletes nothing',
    async (action, words) => {
      const before = await objects()
      const less = without(policy, action)
      const ran = await lakejobs(words, await keyWith(minio, less))
      const { error } = summaryOf(ran)
      expect([ran.exit, error?.message]).toEqual([1, expect.stringContaining(action)])
      const after = await objects()
      expect(before.filter((one) => !after.includes(one))).toEqual([])
      // One line, and nothing that only programmers read.
      expect(error?.message).not.toMatch(/\n|Error:/)
      const text = `${error?.fix} ${error?.message}`
      const statement = JSON.parse(/\{"Effect".*?\}/.exec(text)![0]) as Statement
      const mended = await keyWith(minio, { ...less, Statement: [...less.Statement, statement] })
      expect(await lakejobs(words, mended)).toMatchObject({ exit: 0 })
      // What could not be removed then: orphans find it.
      expect(await lakejobs(orphans, mended)).toMatchObject({ exit: 0 })
      expect((await objects()).filter((one) => one.includes('/data/')).length).toBe(words === orphans ? 3 : 1)
    },
    240_000,
  )
})
