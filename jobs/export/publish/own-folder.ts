import { usageError } from '../../errors.ts'
import { parseDayFile } from '../../lake/plain-places.ts'
import type { FileIO } from '../../storage/file-io.ts'
import type { ExportScope } from '../options.ts'
import { otherTarget, type TablePair } from '../target/names.ts'

/**
 * Refuses a folder where another table's files lie, as a glob would mix both: `t_by_day/` has the days of `t`, and the
 * whole of a table of that name (export-spec §6.4). `root` is the folder of all tables' plain files, a location.
 */
export async function assertOwnFolder(
  io: FileIO,
  root: string,
  pair: TablePair,
  { mode }: ExportScope,
): Promise<void> {
  const shared = mode === 'day' ? `${pair.folder}_by_day` : pair.folder
  const folder = `${root}/${shared}`
  const refuse = (other: string): Error =>
    usageError(`${folder} holds ${other} of another table`, {
      field: '--table',
      fix: `give one of them another target (${otherTarget(pair)}), or remove the other one's files if they are old`,
    })
  if (mode === 'day') {
    if ((await io.stat(`${folder}/${shared}.parquet`)) !== undefined) throw refuse('the file')
  } else if (shared.endsWith('_by_day')) {
    for await (const { location } of io.list(folder))
      if (parseDayFile(location.slice(folder.length + 1)) !== undefined) throw refuse('days')
  }
}
