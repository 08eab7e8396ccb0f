import { numericProperty } from '../metadata/metadata.ts'
import type { ManifestFile } from './data-file.ts'

/** Java's default of `commit.manifest.target-size-bytes`. */
const defaultTargetBytes = 8 * 2 ** 20
/** Java's default of `commit.manifest.min-count-to-merge`. */
const defaultLeast = 100

type Properties = Readonly<Record<string, string>>

/** How large a manifest should be, in bytes. */
export const manifestTargetBytes = (properties: Properties): number =>
  numericProperty(properties, 'commit.manifest.target-size-bytes', defaultTargetBytes)

/**
 * Which manifests of a snapshot are to be put together, each group into one: small ones of one spec and content, neighbours in
 * the list, so that a scan still leaves out what is of another time. Only where there are `commit.manifest.min-count-to-merge`
 * of them, and half or less come of it: what was put together is not again. None with `commit.manifest-merge.enabled=false`.
 * Pure: the only plan, for the dry run and each attempt of the commit.
 */
export function planMerge(
  properties: Properties,
  manifests: readonly ManifestFile[],
): readonly (readonly ManifestFile[])[] {
  if (properties['commit.manifest-merge.enabled']?.trim().toLowerCase() === 'false') return []
  const target = manifestTargetBytes(properties)
  const least = Math.max(2, numericProperty(properties, 'commit.manifest.min-count-to-merge', defaultLeast))
  const kinds = new Map<string, ManifestFile[]>()
  for (const manifest of manifests) {
    if (manifest.manifestLength >= target) continue
    const kind = `${manifest.partitionSpecId} ${manifest.content}`
    const known = kinds.get(kind)
    if (known === undefined) kinds.set(kind, [manifest])
    else known.push(manifest)
  }
  return [...kinds.values()].flatMap((small) => {
    const groups = small.length < least ? [] : packed(small, target)
    return 2 * groups.length <= small.length ? groups.filter((group) => group.length > 1) : []
  })
}

/** Neighbours, of `target` bytes together at most. */
function packed(manifests: readonly ManifestFile[], target: number): ManifestFile[][] {
  const groups: ManifestFile[][] = []
  let bytes = Infinity
  for (const manifest of manifests) {
    if (bytes + manifest.manifestLength > target) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)!.push(manifest)
    bytes += manifest.manifestLength
  }
  return groups
}
