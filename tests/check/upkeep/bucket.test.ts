import { describe, expect, it } from '@jest/globals'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import { bucketWarnings } from '../../../jobs/check/upkeep/bucket.ts'
import { JobError } from '../../../jobs/errors.ts'
import { ruleOf, type BucketRules } from '../../../jobs/storage/s3/bucket-rules.ts'

const day = 86_400_000
const now = Date.parse('2024-09-16T07:00:00Z')
const rulesOf = (...rules: Partial<LifecycleRule>[]): BucketRules['rules'] => ({
  value: rules.map((rule) => ruleOf({ ID: 'r', Status: 'Enabled', ...rule })),
})
const abort = { Filter: { Prefix: '' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } }
const found = (partial: Partial<BucketRules> = {}): BucketRules => ({
  rules: rulesOf(abort),
  versioning: { value: 'off' },
  retention: { value: undefined },
  uploads: { value: [] },
  abortsByItself: false,
  ...partial,
})
const details = (partial: Partial<BucketRules>, place = 's3://lake/iceberg') =>
  bucketWarnings(place, found(partial), now).map(({ detail }) => detail)

describe('of a bucket', () => {
  it('that aborts incomplete uploads and keeps no versions there is nothing to warn of', () => {
    expect(details({})).toEqual([])
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the form that older rules have
    expect(details({ rules: rulesOf({ Prefix: 'ice', ...{ ...abort, Filter: undefined } }) })).toEqual([])
  })

  it.each<[string, Partial<LifecycleRule>]>([
    ['without a rule for them', { Filter: { Prefix: '' }, Expiration: { ExpiredObjectDeleteMarker: true } }],
    ['with one for another prefix', { ...abort, Filter: { Prefix: 'iceberg2/' } }],
    ['with one for a part of the warehouse', { ...abort, Filter: { Prefix: 'iceberg/default/' } }],
    [
      'with one for certain tags',
      { ...abort, Filter: { And: { Prefix: '', Tags: [{ Key: 'a', Value: 'b' }] } } },
    ],
  ])('%s, incomplete uploads are warned of, with the rule that aborts them', (_, rule) => {
    const [warning, ...more] = bucketWarnings('s3://lake/iceberg', found({ rules: rulesOf(rule) }), now)
    expect(more).toEqual([])
    expect(warning!.detail).toContain('aborts incomplete uploads')
    const mending = JSON.parse(/add (.*) to the/.exec(warning!.fix)![1]!) as LifecycleRule
    expect(details({ rules: rulesOf(rule, mending) })).toEqual([])
  })

  it('that aborts them by itself no rule is asked for', () => {
    expect(details({ rules: rulesOf(), abortsByItself: true })).toEqual([])
  })

  it.each<[string, boolean]>([
    ['', true],
    ['ice', true],
    ['iceberg/', true],
    ['iceberg/default/web_logs/data/', true],
    ['iceberg2/', false],
    ['other/', false],
  ])('a rule that expires objects below "%s" is warned of: %s', (Prefix, isWarned) => {
    const rules = rulesOf(abort, { ID: 'x', Filter: { Prefix }, Expiration: { Days: 30 } })
    expect(details({ rules })).toEqual(isWarned ? [expect.stringContaining('rule "x" deletes objects')] : [])
  })

  it('what could not be looked at is said, once for each reason', () => {
    const unknown = new JobError('failed', 'not today', { fix: 'wait' })
    const other = new JobError('failed', 's3:GetBucketVersioning is denied', { fix: 'allow it' })
    const warnings = bucketWarnings(
      's3://lake/iceberg',
      found({ rules: { unknown }, retention: { unknown }, versioning: { unknown: other } }),
      now,
    )
    expect(warnings).toEqual([
      { detail: 'lifecycle rules, object lock could not be looked at: not today', fix: 'wait' },
      {
        detail: 'versioning could not be looked at: s3:GetBucketVersioning is denied',
        fix: 'allow it',
      },
    ])
  })

  it('uploads of more than a day are counted', () => {
    expect(details({ uploads: { value: [now - 3 * day, now - day - 1, now - day + 1] } })).toEqual([
      expect.stringMatching(/^2 uploads below .*, the oldest 2024-09-13$/),
    ])
  })
})
