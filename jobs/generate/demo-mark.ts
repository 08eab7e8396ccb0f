import { usageError } from '../errors.ts'
import type { FileIO } from '../storage/file-io.ts'

const markName = '.lakejobs-demo'
const markText = Buffer.from(
  'Demo data: lakejobs may add files to this folder. Remove this file to stop it.\n',
)

/**
 * Makes sure that demo data may be written to the folder at `dir` (operations-spec §2): it carries lakejobs' mark, or
 * is empty and is marked now. Throws a `usageError` otherwise: real logs are never mixed with generated ones.
 */
export async function claimDemoFolder(io: FileIO, dir: string): Promise<void> {
  const mark = `${dir}/${markName}`
  if ((await io.stat(mark)) !== undefined) return
  for await (const file of io.list(dir)) {
    // Marked since we looked, by another call: the mark comes before its files.
    if ((await io.stat(mark)) !== undefined) return
    throw usageError(`${dir} holds files that are not demo data: ${file.location}`, {
      field: '--dir',
      fix: `Name an empty folder, set DEMO_DATA=false, or create ${mark} if its logs may be mixed with generated ones.`,
    })
  }
  await io.write(mark, markText)
}
