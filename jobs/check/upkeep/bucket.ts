import { msPerDay } from '../../calendar.ts'
import type { BucketRules, Looked } from '../../storage/s3/bucket-rules.ts'
import type { S3Settings } from '../../storage/s3/client.ts'
import type { Check, Warning } from '../check.ts'

/**
 * What a bucket does by itself with a lake's files: warns of what destroys them, and of what keeps or hides bytes that
 * maintenance frees. A folder has nothing of the kind.
 *
 * @param setting that names the place
 */
export const checkBucket =
  (setting: string, location: () => string, settings: () => S3Settings, now: () => Date): Check =>
  async (attempt, warn) => {
    const place = location()
    if (!place.startsWith('s3://')) return
    await attempt(`bucket of ${setting}`, async () => {
      const { bucketRules } = await import('../../storage/s3/bucket-rules.ts')
      const found = await bucketRules(place, { ...settings(), attempts: 1 })
      const warnings = bucketWarnings(place, found, now().getTime())
      for (const warning of warnings) warn({ check: `bucket of ${setting}`, ...warning })
      return warnings.length === 0 ? 'nothing to be mended' : `looked at, ${warnings.length} to be mended`
    })
  }

/** A write that is under way is younger. */
const oldMs = msPerDay

const valueOf = <T>(looked: Looked<T>): T | undefined => ('value' in looked ? looked.value : undefined)

type Found = Omit<Warning, 'check'>

/** Pure. `place`: `s3://bucket/prefix`, the warehouse. */
export function bucketWarnings(place: string, found: BucketRules, nowMs: number): Found[] {
  const prefix = place.replace(/^s3:\/\/[^/]+\/?/, '')
  const below = prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`
  const rules = valueOf(found.rules)
  const covering = (rules ?? []).filter((rule) => !rule.isPartial && below.startsWith(rule.prefix))
  return [
    ...unlooked(found),
    ...(rules ?? [])
      .filter((rule) => rule.expiresObjects)
      .filter((rule) => below.startsWith(rule.prefix) || rule.prefix.startsWith(below))
      .map((rule) => ({
        detail: `the lifecycle rule ${JSON.stringify(rule.id)} deletes objects below ${JSON.stringify(rule.prefix)} by age, those that tables need among them`,
        fix: `take it out of the bucket’s lifecycle, or limit it to a prefix outside of ${below}`,
      })),
    ...(rules === undefined || found.abortsByItself || covering.some((rule) => rule.abortsUploads)
      ? []
      : [
          {
            detail:
              'no lifecycle rule aborts incomplete uploads: no listing shows them, and their parts are paid for',
            fix: `add ${ruleText('abort-incomplete-uploads', below, { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } })} to the bucket’s lifecycle rules`,
          },
        ]),
    ...(rules === undefined ||
    valueOf(found.versioning) !== 'enabled' ||
    covering.some((rule) => rule.expiresNoncurrent)
      ? []
      : [
          {
            detail:
              'versioning is enabled and no lifecycle rule removes noncurrent versions: what maintenance deletes is hidden, and no byte is freed',
            fix: `add ${ruleText('expire-noncurrent', below, { NoncurrentVersionExpiration: { NoncurrentDays: 7 } })} to the bucket’s lifecycle rules`,
          },
        ]),
    ...retentionWarning(place, valueOf(found.retention)),
    ...uploadsWarning(place, valueOf(found.uploads) ?? [], nowMs),
  ]
}

/** One line for each fault, with all that could not be looked at because of it. */
function unlooked({ rules, versioning, retention, uploads }: BucketRules): Found[] {
  const parts = {
    'lifecycle rules': rules,
    versioning,
    'object lock': retention,
    'unfinished uploads': uploads,
  }
  const byFault = new Map<string, { readonly names: string[]; readonly fix: string }>()
  for (const [name, looked] of Object.entries(parts)) {
    if (!('unknown' in looked)) continue
    const { message, fix = 'look at it with the store’s own tools' } = looked.unknown
    const known = byFault.get(message) ?? { names: [], fix }
    known.names.push(name)
    byFault.set(message, known)
  }
  return [...byFault].map(([message, { names, fix }]) => ({
    detail: `${names.join(', ')} could not be looked at: ${message}`,
    fix,
  }))
}

const ruleText = (ID: string, Prefix: string, action: object): string =>
  JSON.stringify({ ID, Status: 'Enabled', Filter: { Prefix }, ...action })

function retentionWarning(place: string, retention: string | undefined): Found[] {
  if (retention === undefined) return []
  const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(place) ?? []
  return [
    {
      detail: `object lock keeps every new object (${retention}): what maintenance deletes before is hidden, and no byte is freed`,
      fix: `let new objects be without it: aws s3api put-object-lock-configuration --bucket ${bucket} --object-lock-configuration '{"ObjectLockEnabled":"Enabled"}'`,
    },
  ]
}

function uploadsWarning(place: string, begun: readonly number[], nowMs: number): Found[] {
  const old = begun.filter((ms) => nowMs - ms > oldMs)
  if (old.length === 0) return []
  const [first] = [...old].sort((a, b) => a - b)
  return [
    {
      detail: `${old.length} uploads below ${place} were begun more than a day ago and never finished, the oldest ${new Date(first!).toISOString().slice(0, 10)}`,
      fix: 'lakejobs maintain orphans --delete --orphan-age 24h aborts those of tables that are there; a lifecycle rule all others',
    },
  ]
}
