import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ensureBucket, s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { startMinio, type Minio } from '../support/minio.ts'
import { listed } from '../storage/listed.ts'
import { documented } from './documented.ts'
import { actionsOf, keyWith as keyFor, without, type Policy, type Statement } from './session-key.ts'

const { place } = eachWithDatabase()
let minio: Minio
beforeAll(async () => {
  minio = await startMinio()
}, 600_000)
afterAll(() => minio.stop())

const policyOf = (role: string): Policy => JSON.parse(documented(role)) as Policy
const keyWith = (policy: Policy): Promise<Record<string, string>> => keyFor(minio, policy)

const lakejobs = (words: readonly string[], more: Record<string, string>): Promise<Ran> =>
  run(words, { ...place, env: { ...place.env, ...more } })
const failed = (ran: Ran) => (summaryOf(ran).checks ?? []).filter(({ status }) => status === 'failed')
const works = async (key: Record<string, string>, ...commands: string[]): Promise<void> => {
  for (const command of commands) {
    const ran = await lakejobs(command.split(' '), key)
    expect([command, ran.exit, ran.exit === 0 ? '' : ran.stderr]).toEqual([command, 0, ''])
  }
}
const root = { ...{ region: 'us-east-1' }, createBucket: true }
/** But for the summaries that runs leave. */
const objects = async (): Promise<unknown> =>
  (await listed(s3FileIO({ ...minio, ...root }), 's3://logs-bucket'))
    .map(({ location }) => location)
    .filter((location) => !location.startsWith('s3://logs-bucket/runs/'))

describe('the documented policies', () => {
  it('are enough, each for its commands, and check says so and leaves nothing', async () => {
    await ensureBucket('s3://logs-bucket', { ...minio, ...root })
    const exporter = await keyWith(policyOf('exporter'))
    expect((await lakejobs(['init'], { ...exporter, DEMO_DATA: 'true' })).exit).toBe(0)
    await works(exporter, 'seed --rows 300 --days 2 --date 2024-09-16', 'check --permissions')
    expect(await objects()).toEqual([])
    await works(
      exporter,
      ...[
        'check',
        'export --mode full --partition-by day(timestamp)',
        'export --date 2024-09-16',
        'verify',
        'inspect --table web_logs',
      ],
    )
    const before = await objects()
    const reader = await keyWith(policyOf('reader'))
    await works(
      reader,
      ...['check --permissions --as reader', 'verify --against written', 'inspect --table web_logs'],
    )
    const maintainer = await keyWith(policyOf('maintainer'))
    await works(maintainer, 'check --permissions --as maintainer')
    expect(await objects()).toEqual(before)
    await works(
      maintainer,
      ...[
        'maintain expire --older-than 0 --keep 1',
        'maintain orphans --delete',
        'inspect --table web_logs --storage',
        'inspect --table web_logs --tree',
      ],
    )
    const missing = failed(await lakejobs(['check', '--permissions'], reader)).map(({ check }) => check)
    expect(missing).toEqual(
      ['WAREHOUSE', 'PARQUET_LOCATION', 'LAKEJOBS_RUNS'].flatMap((name) =>
        ['PutObject', 'DeleteObject', 'AbortMultipartUpload'].map((one) => `policy on ${name}: s3:${one}`),
      ),
    )
  }, 300_000)
})

describe.each(['exporter', 'maintainer'])('each action of the %s that is taken away', (role) => {
  const policy = policyOf(role)
  it.each(actionsOf(policy))(
    '%s is named, with the statement that allows it',
    async (action) => {
      await ensureBucket('s3://logs-bucket', { ...minio, ...root })
      expect((await lakejobs(['init'], { ...(await keyWith(policy)), DEMO_DATA: 'true' })).exit).toBe(0)
      const words = ['check', '--permissions', '--as', role]
      const less = without(policy, action)
      const found = failed(await lakejobs(words, await keyWith(less)))
      expect(found.map(({ check }) => check)).toEqual(
        ['WAREHOUSE', 'PARQUET_LOCATION', 'LAKEJOBS_RUNS'].map((name) => `policy on ${name}: ${action}`),
      )
      const allowed = found.map(
        ({ fix }) => JSON.parse(/^Add (.*) to the policy/.exec(fix!)![1]!) as Statement,
      )
      const mended = await keyWith({ ...less, Statement: [...less.Statement, ...allowed] })
      expect(failed(await lakejobs(words, mended))).toEqual([])
    },
    120_000,
  )
})
