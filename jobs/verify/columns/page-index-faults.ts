import type { Footer } from '../../lake/footer/footer.ts'
import { damagedIndexes, readPageIndexes } from '../../lake/footer/page-indexes.ts'
import type { FileIO } from '../../storage/file-io.ts'

/** What is wrong with the page indexes of a file that the export wrote. Errors: those of the store. */
export async function pageIndexFaults(
  io: FileIO,
  location: string,
  size: number,
  { pageIndexes }: Pick<Footer, 'pageIndexes'>,
): Promise<string[]> {
  if (pageIndexes === undefined) return []
  return (await readPageIndexes(io, location, size, pageIndexes)) === undefined ? [damagedIndexes] : []
}
