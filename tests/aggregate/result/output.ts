import type { OutputFile } from '../../../jobs/storage/file-io.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

/** What `write` puts into a file. */
export async function written(write: (output: OutputFile) => Promise<unknown>): Promise<Buffer> {
  const io = memoryFileIO(() => new Date(0))
  const output = await io.create('memory://results/x.csv')
  await write(output)
  await output.close()
  return io.read('memory://results/x.csv')
}
