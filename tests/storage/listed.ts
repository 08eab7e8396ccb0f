import type { FileIO, FileStat } from '../../jobs/storage/file-io.ts'

/** Drains a listing, sorted by location. */
export async function listed(io: FileIO, prefix: string): Promise<readonly FileStat[]> {
  const found: FileStat[] = []
  for await (const stat of io.list(prefix)) found.push(stat)
  return found.sort((a, b) => (a.location < b.location ? -1 : 1))
}
