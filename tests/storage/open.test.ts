import { describe, expect, it, jest } from '@jest/globals'
import { openFileIO } from '../../jobs/storage/open.ts'

// Not a stand-in: it makes the test fail when the SDK is loaded at all.
jest.unstable_mockModule('@aws-sdk/client-s3', () => {
  throw new Error('the AWS SDK was loaded')
})

describe('openFileIO', () => {
  it('opens local folders without the AWS SDK', async () => {
    expect((await openFileIO('file:///tmp', { region: 'us-east-1' })).scheme).toBe('file')
  })

  it('loads it for s3', async () => {
    await expect(openFileIO('s3://bucket/x', { region: 'us-east-1' })).rejects.toThrow('SDK was loaded')
  })

  it('refuses other schemes', async () => {
    await expect(openFileIO('gs://x', { region: 'us-east-1' })).rejects.toMatchObject({ code: 'usage' })
  })
})
