import { describe, expect, it } from '@jest/globals'
import { postgresSettings, s3Settings } from '../../jobs/settings/settings.ts'

describe('what nobody here reads is refused by its name', () => {
  const user = { POSTGRES_USER: 'u', ICEBERG_POSTGRES_USER: 'u' }

  it.each([
    { PGSSLCRL: '/x.crl' },
    { PGSSLCRLDIR: '/x' },
    { PGREQUIREAUTH: 'scram-sha-256' },
    { PGREQUIREPEER: 'postgres' },
    { PGCHANNELBINDING: 'require' },
    { PGGSSENCMODE: 'require' },
    { PGSSLMINPROTOCOLVERSION: 'TLSv1.3' },
  ])('%j, for source and catalog', (env) => {
    const [field] = Object.keys(env)
    const error = expect.objectContaining({
      code: 'usage',
      field,
      fix: expect.any(String) as unknown,
    }) as unknown
    for (const prefix of ['POSTGRES', 'ICEBERG_POSTGRES'] as const)
      expect(() =>
        postgresSettings({ ...user, ...(env as unknown as Record<string, string>) }, prefix),
      ).toThrow(error)
  })

  it('but not where it asks for no more than a connection has', () => {
    const env = { PGCHANNELBINDING: 'prefer', PGGSSENCMODE: 'disable', PGSSLMINPROTOCOLVERSION: 'TLSv1.2' }
    expect(postgresSettings({ ...user, ...env }, 'POSTGRES')).toMatchObject({ user: 'u' })
  })

  it.each(['S3_SSE', 'S3_SSE_KMS_KEY_ID', 'S3_REQUESTER_PAYS', 'S3_PATH_STYLE', 'S3_PROXY'])(
    '%s',
    (field) => {
      expect(() => s3Settings({ [field]: 'x' })).toThrow(expect.objectContaining({ code: 'usage', field }))
    },
  )
})
