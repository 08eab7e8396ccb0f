import { expect, it } from '@jest/globals'
import { s3Settings } from '../../jobs/settings/settings.ts'

it('the store is where AWS’ own names say, for engines that are told its address, too, unless S3_ENDPOINT says otherwise', () => {
  const env = { AWS_ENDPOINT_URL: 'http://all:1', AWS_DEFAULT_REGION: 'eu-central-1' }
  expect(s3Settings(env)).toMatchObject({ endpoint: 'http://all:1', region: 'eu-central-1' })
  const forS3 = { ...env, AWS_ENDPOINT_URL_S3: 'http://s3:1', AWS_REGION: 'eu-west-1' }
  expect(s3Settings(forS3)).toMatchObject({ endpoint: 'http://s3:1', region: 'eu-west-1' })
  expect(s3Settings({ ...forS3, S3_ENDPOINT: 'http://ours:1' }).endpoint).toBe('http://ours:1')
})

it('an address that is none is named by the setting that holds it', () => {
  expect(() => s3Settings({ AWS_ENDPOINT_URL_S3: 'minio:9000' })).toThrow('AWS_ENDPOINT_URL_S3')
})

it('the key of MinIO counts with S3_ENDPOINT alone', () => {
  const key = { MINIO_ROOT_USER: 'minio', MINIO_ROOT_PASSWORD: 'secret' }
  expect(s3Settings({ ...key, AWS_ENDPOINT_URL: 'http://all:1' }).accessKeyId).toBeUndefined()
  expect(s3Settings({ ...key, S3_ENDPOINT: 'http://ours:1' }).accessKeyId).toBe('minio')
})
