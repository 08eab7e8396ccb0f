import type { OutputFile } from './file-io.ts'

/** Up to this, blocks are written in one call: below, a call costs more than a copy. */
const joinedBytes = 1 << 18

/** Writes blocks one behind the other, small ones together. */
export async function writeBlocks(
  output: Pick<OutputFile, 'write'>,
  blocks: readonly Uint8Array[],
): Promise<void> {
  const size = blocks.reduce((sum, block) => sum + block.length, 0)
  if (size <= joinedBytes) await output.write(Buffer.concat(blocks, size))
  else for (const block of blocks) await output.write(block)
}
