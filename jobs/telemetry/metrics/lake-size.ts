import { readMetadataFile } from '../../iceberg/catalog/stored/metadata-file.ts'
import { s3Settings } from '../../settings/settings.ts'
import { openFileIO } from '../../storage/open.ts'
import type { LakeSize } from './gauges.ts'

/** What the summary of the current snapshot says of a table's live rows and bytes; `location` is its metadata. */
export async function lakeSize(location: string, env: Readonly<Record<string, string>>): Promise<LakeSize> {
  const isStore = location.startsWith('s3://')
  const io = await openFileIO(location, isStore ? { ...s3Settings(env, 1000), attempts: 1 } : { region: '' })
  const metadata = await readMetadataFile(io, location)
  const current = metadata.snapshots.find((one) => one['snapshot-id'] === metadata['current-snapshot-id'])
  const count = (name: string): number | undefined => {
    const text = current?.summary[name] ?? ''
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  return { rows: count('total-records'), bytes: count('total-files-size') }
}
