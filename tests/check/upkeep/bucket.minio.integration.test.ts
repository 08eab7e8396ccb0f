import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts'
import { bucketWarnings } from '../../../jobs/check/upkeep/bucket.ts'
import { bucketRules } from '../../../jobs/storage/s3/bucket-rules.ts'
import { s3Client, type S3Settings } from '../../../jobs/storage/s3/client.ts'
import { eachWithDatabase } from '../../commands/each-with-database.ts'
import { run, summaryOf } from '../../support/cli.ts'
import { startMinio, type Minio } from '../../support/minio.ts'

const { place } = eachWithDatabase()
let minio: Minio
let client: S3Client
let settings: S3Settings
beforeAll(async () => {
  minio = await startMinio()
  settings = { ...minio, region: 'us-east-1' }
  client = s3Client(settings)
}, 600_000)
afterAll(async () => {
  client.destroy()
  await minio.stop()
})

let Bucket: string
let buckets = 0
beforeEach(async () => {
  Bucket = `lake-${++buckets}`
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }))
})
const dayMs = 86_400_000
const warnings = async (later = 0, given = settings) =>
  bucketWarnings(
    `s3://${Bucket}/iceberg`,
    await bucketRules(`s3://${Bucket}/iceberg`, given),
    Date.now() + later,
  )
const details = async (later = 0) => (await warnings(later)).map(({ detail }) => detail)
const lifecycle = async (...rules: Partial<LifecycleRule>[]): Promise<void> => {
  const Rules = rules.map((rule): LifecycleRule => ({ ID: 'r', Status: 'Enabled', ...rule }))
  await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
}
const noLifecycle = () => client.send(new DeleteBucketLifecycleCommand({ Bucket }))
const plain = async (): Promise<void> => {
  Bucket = `plain-${++buckets}`
  await client.send(new CreateBucketCommand({ Bucket }))
}

describe('a bucket of a real store', () => {
  it('that is new has nothing to be mended: MinIO aborts incomplete uploads without a rule, and knows none', async () => {
    await plain()
    expect(await details()).toEqual([])
    expect((await bucketRules(`s3://${Bucket}/iceberg`, settings)).abortsByItself).toBe(true)
  })

  it('with a rule that expires objects is warned of until it is taken away', async () => {
    await plain()
    await lifecycle({ Filter: { Prefix: 'iceberg/default/' }, Expiration: { Days: 30 } })
    expect(await details()).toEqual([expect.stringContaining('deletes objects below "iceberg/default/"')])
    await lifecycle({ Filter: { Prefix: 'iceberg/' }, Status: 'Disabled', Expiration: { Days: 30 } })
    expect(await details()).toEqual([])
    await noLifecycle()
    expect(await details()).toEqual([])
  })

  it('with versions and no rule for noncurrent ones is, until the rule of the warning is there', async () => {
    await plain()
    await client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    )
    const [warning] = await warnings()
    expect(warning?.detail).toContain('versioning is enabled')
    await lifecycle(JSON.parse(/add (.*) to the/.exec(warning!.fix)![1]!) as LifecycleRule)
    expect(await details()).toEqual([])
    await noLifecycle()
    expect(await details()).toHaveLength(1)
  })

  it('with object lock is, until new objects are without it', async () => {
    await lifecycle({
      Filter: { Prefix: '' },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    })
    expect(await details()).toEqual([])
    const lock = (Rule?: { DefaultRetention: { Mode: 'GOVERNANCE'; Days: number } }) =>
      client.send(
        new PutObjectLockConfigurationCommand({
          Bucket,
          ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...(Rule && { Rule }) },
        }),
      )
    await lock({ DefaultRetention: { Mode: 'GOVERNANCE', Days: 7 } })
    expect(await details()).toEqual([expect.stringContaining('(7 days, GOVERNANCE)')])
    await lock()
    expect(await details()).toEqual([])
  })

  it('with an upload that was never finished is, a day later', async () => {
    await plain()
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'iceberg/t/data/a.parquet' }))
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'other/a' }))
    expect(await details()).toEqual([])
    expect(await details(2 * dayMs)).toEqual([expect.stringMatching(/^1 uploads below/)])
  })

  it('that the key may not look at is said so, and check is exit 0', async () => {
    await plain()
    const sts = new STSClient({ endpoint: minio.endpoint, region: 'us-east-1', credentials: minio })
    const key = async (...bucketActions: string[]): Promise<Record<string, string>> => {
      const { Credentials } = await sts.send(
        new AssumeRoleCommand({
          ...{ RoleArn: 'arn:aws:iam::123456789012:role/lake', RoleSessionName: 'test' },
          Policy: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: ['s3:ListBucket', ...bucketActions],
                Resource: `arn:aws:s3:::${Bucket}`,
              },
              {
                Effect: 'Allow',
                Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
                Resource: `arn:aws:s3:::${Bucket}/*`,
              },
            ],
          }),
        }),
      )
      return {
        S3_ENDPOINT: minio.endpoint,
        WAREHOUSE: `s3://${Bucket}/iceberg`,
        AWS_ACCESS_KEY_ID: Credentials!.AccessKeyId!,
        AWS_SECRET_ACCESS_KEY: Credentials!.SecretAccessKey!,
        AWS_SESSION_TOKEN: Credentials!.SessionToken!,
      }
    }
    const checked = async (...actions: string[]) => {
      const ran = await run(['check'], { ...place, env: { ...place.env, ...(await key(...actions)) } })
      const warned = (summaryOf(ran).checks ?? []).filter(({ status }) => status === 'warning')
      return { exit: ran.exit, warned }
    }
    expect(
      (await run(['init'], { ...place, env: { ...place.env, ...(await key()), DEMO_DATA: 'true' } })).exit,
    ).toBe(0)
    const denied = await checked()
    expect(denied.exit).toBe(0)
    expect(denied.warned.map(({ detail }) => detail.split(' is denied', 1)[0])).toEqual([
      'lifecycle rules could not be looked at: s3:GetLifecycleConfiguration',
      'versioning could not be looked at: s3:GetBucketVersioning',
      'object lock could not be looked at: s3:GetBucketObjectLockConfiguration',
      'unfinished uploads could not be looked at: s3:ListBucketMultipartUploads',
    ])
    const allowed = denied.warned.map(
      ({ fix }) => (JSON.parse(/^Add (.*) to the policy/.exec(fix!)![1]!) as { Action: string }).Action,
    )
    expect(await checked(...allowed)).toEqual({ exit: 0, warned: [] })
    sts.destroy()
  }, 120_000)
})
