import { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { createCa, type TestCa } from '../postgres/connection/certificates.ts'
import { build, run, summaryOf } from '../support/cli.ts'
import { startMinio, type Minio } from '../support/minio.ts'

/** A store that takes https alone, whose certificate a private CA has signed. Everything about it is said by `.env`. */
let minio: Minio
let ca: TestCa
let otherCa: TestCa
let cwd: string
let temporary: Record<string, string>
beforeAll(async () => {
  build()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-credentials-'))
  ca = createCa('/CN=CA of the store')
  otherCa = createCa('/CN=Other CA')
  const issued = ca.issue('store', { subject: '/CN=not used', names: 'DNS:localhost' })
  minio = await startMinio({ ...issued, ca: ca.certificate })
  const sts = new STSClient({
    endpoint: minio.endpoint,
    region: 'us-east-1',
    credentials: minio,
    requestHandler: { httpsAgent: { ca: readFileSync(ca.certificate, 'utf8') } },
  })
  const role = { RoleArn: 'arn:aws:iam::123456789012:role/lake', RoleSessionName: 'test' }
  const { Credentials } = await sts.send(new AssumeRoleCommand(role))
  sts.destroy()
  temporary = {
    AWS_ACCESS_KEY_ID: Credentials!.AccessKeyId!,
    AWS_SECRET_ACCESS_KEY: Credentials!.SecretAccessKey!,
    AWS_SESSION_TOKEN: Credentials!.SessionToken!,
  }
}, 300_000)
afterAll(async () => {
  await minio.stop()
  ca.remove()
  otherCa.remove()
  await rm(cwd, { recursive: true })
})

type Settings = Readonly<Record<string, string | undefined>>
const keys = (): Settings => ({
  AWS_ACCESS_KEY_ID: minio.accessKeyId,
  AWS_SECRET_ACCESS_KEY: minio.secretAccessKey,
})

let buckets = 0
/** Makes logs in a bucket of its own; what `.env` says beside the endpoint and the CA. */
async function generated(settings: Settings, env: Record<string, string> = {}) {
  const bucket = `lake-${++buckets}`
  const all: Settings = {
    S3_ENDPOINT: minio.endpoint,
    S3_CREATE_BUCKET: 'true',
    AWS_CA_BUNDLE: ca.certificate,
    ...settings,
  }
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  await writeFile(join(cwd, '.env'), lines.join('\n'))
  // The SDK looks into the home folder, and asks a machine's metadata service at last.
  const own = { HOME: cwd, AWS_EC2_METADATA_DISABLED: 'true', ...env }
  const ran = await run(['generate', `s3://${bucket}/logs`, '2024-09-16', '1', '3', '20'], { cwd, env: own })
  for (const secret of [minio.secretAccessKey, temporary['AWS_SECRET_ACCESS_KEY']!])
    expect(ran.stdout + ran.stderr).not.toContain(secret)
  return { bucket, summary: summaryOf(ran) }
}

async function works(settings: Settings, env?: Record<string, string>): Promise<void> {
  const { bucket, summary } = await generated(settings, env)
  expect(summary).toMatchObject({ exit: 0, rows: 20 })
  const io = s3FileIO({ ...minio, region: 'us-east-1', caBundle: ca.certificate })
  const log = (await io.read(`s3://${bucket}/logs/2024-09-16.csv`)).toString()
  expect(log.trimEnd().split('\n')).toHaveLength(20)
}

describe('an https store of a private CA, by .env', () => {
  it('takes keys, and those of the environment before them', async () => {
    await works(keys())
    const wrong = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'canary-51c0' }
    await works(wrong, keys() as Record<string, string>)
    expect((await generated(keys(), wrong)).summary).toMatchObject({
      exit: 2,
      error: { field: 'AWS_ACCESS_KEY_ID' },
    })
  })

  it('takes a session token, without which temporary keys are refused', async () => {
    await works(temporary)
    const { summary } = await generated({ ...temporary, AWS_SESSION_TOKEN: undefined })
    expect(summary).toMatchObject({ exit: 2, error: { field: 'AWS_SESSION_TOKEN' } })
  })

  it('takes a profile', async () => {
    const file = join(cwd, 'credentials')
    await writeFile(
      file,
      `[default]\naws_access_key_id = nobody\naws_secret_access_key = canary-51c0\n[lake]\n` +
        `aws_access_key_id = ${minio.accessKeyId}\naws_secret_access_key = ${minio.secretAccessKey}\n`,
    )
    const profile = { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'lake' }
    await works(profile)
    expect((await generated({ ...profile, AWS_PROFILE: 'nobody' })).summary).toMatchObject({
      exit: 2,
      error: { field: 'AWS_PROFILE' },
    })
    expect((await generated({ ...profile, AWS_PROFILE: undefined })).summary).toMatchObject({ exit: 2 })
  })

  it('takes a role that a profile assumes', async () => {
    const file = join(cwd, 'config')
    await writeFile(
      file,
      `[profile base]\naws_access_key_id = ${minio.accessKeyId}\naws_secret_access_key = ${minio.secretAccessKey}\n` +
        `[profile lake]\nrole_arn = arn:aws:iam::123456789012:role/lake\nsource_profile = base\n`,
    )
    await works({ AWS_CONFIG_FILE: file, AWS_PROFILE: 'lake', AWS_ENDPOINT_URL_STS: minio.endpoint })
  })

  it.each<[string, () => Settings, string]>([
    ['no CA', () => ({ AWS_CA_BUNDLE: undefined }), 'AWS_CA_BUNDLE'],
    ['another CA', () => ({ AWS_CA_BUNDLE: otherCa.certificate }), 'AWS_CA_BUNDLE'],
    ['a CA that is not there', () => ({ AWS_CA_BUNDLE: '/nowhere/ca.crt' }), 'AWS_CA_BUNDLE'],
    ['a CA that is none', () => ({ AWS_CA_BUNDLE: join(cwd, '.env') }), 'AWS_CA_BUNDLE'],
    [
      'a host that the certificate is not for',
      () => ({ S3_ENDPOINT: minio.endpoint.replace('localhost', '127.0.0.1') }),
      'S3_ENDPOINT',
    ],
    ['half of a key', () => ({ AWS_SECRET_ACCESS_KEY: undefined }), 'AWS_SECRET_ACCESS_KEY'],
    ['the other half', () => ({ AWS_ACCESS_KEY_ID: undefined }), 'AWS_ACCESS_KEY_ID'],
    ['half of its own key', () => ({ MINIO_ROOT_USER: minio.accessKeyId }), 'MINIO_ROOT_PASSWORD'],
  ])('%s is exit 2 by its name', async (_, settings, field) => {
    const { summary } = await generated({ ...keys(), ...settings() })
    expect(summary).toMatchObject({ exit: 2, error: { field: expect.stringContaining(field) as unknown } })
    expect(summary.error?.message).not.toContain('\n')
  })
})
