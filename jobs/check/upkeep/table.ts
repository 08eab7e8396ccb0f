import { asError, JobError, shellWord } from '../../errors.ts'
import { planRead, type ReadTable } from '../../lake/read-plan.ts'
import { compactable, expirable, manySnapshots, muchMetadataBytes } from '../../lake/upkeep/due.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { Warning } from '../check.ts'

type Found = Omit<Warning, 'check'>

const megabyte = 2 ** 20
const hourMs = 3_600_000

/**
 * What a table of ours needs, each with the command that does it, by the same plans as that command. Reads the manifests of
 * main; what cannot be read is told. Throws nothing.
 */
export async function tableWarnings(
  table: ReadTable & { readonly metadataLocation: string },
  nowMs: number,
): Promise<Found[]> {
  const warnings: Found[] = []
  const looks = [() => filesWarning(table), () => metadataWarning(table, nowMs)]
  for (const look of looks) {
    try {
      warnings.push(...(await look()))
    } catch (thrown) {
      const error = asError(thrown)
      const fix = error instanceof JobError ? error.fix : undefined
      warnings.push({
        detail: `could not be looked at: ${error.message}`,
        fix: fix ?? `lakejobs inspect --table ${shellWord(table.name)}`,
      })
    }
  }
  return warnings
}

async function filesWarning(table: ReadTable): Promise<Found[]> {
  const { files, bytes, partitions, manifests, refused } = compactable(
    table.metadata,
    await planRead(table, { tolerant: true }),
  )
  if (files + manifests === 0) return []
  const what = [
    files === 0
      ? []
      : `${files} files of ${text(bytes)} in ${partitions} partitions would be fewer, or free of deleted rows`,
    manifests === 0 ? [] : `${manifests} manifests would be fewer`,
  ]
  return [
    {
      detail: `${what.flat().join(', ')}${refused === undefined ? '' : `; not by lakejobs: ${refused.why}`}`,
      fix: refused?.fix ?? `lakejobs maintain compact --table ${shellWord(table.name)}`,
    },
  ]
}

async function metadataWarning(
  { name, metadata, metadataLocation, io }: ReadTable & { readonly metadataLocation: string },
  nowMs: number,
): Promise<Found[]> {
  const bytes = (await io.stat(canonicalLocation(metadataLocation)))?.size ?? 0
  const { snapshots } = metadata
  const [isLarge, isLong] = [bytes > muchMetadataBytes, snapshots.length > manySnapshots]
  if (!isLarge && !isLong) return []
  const expire = `lakejobs maintain expire --table ${shellWord(name)}`
  const gone = expirable(metadata, nowMs).length
  const isEnough = gone > 0 && snapshots.length - gone <= manySnapshots / 2
  const half = [...snapshots].sort((a, b) => b['timestamp-ms'] - a['timestamp-ms'])[manySnapshots / 2 - 1]
  const hours = half && Math.max(1, Math.floor((nowMs - half['timestamp-ms']) / hourMs))
  return [
    {
      detail: `every commit writes metadata of ${text(bytes)} with ${snapshots.length} snapshots anew`,
      fix: isEnough ? expire : `${expire} --older-than ${hours ?? 1}h --keep 1`,
    },
  ]
}

const text = (bytes: number): string =>
  bytes >= megabyte ? `${(bytes / megabyte).toFixed(1)} MiB` : `${Math.ceil(bytes / 1024)} KiB`
