import { kernel } from '../../kernel/kernel.ts'

export const checksumRange = 2 ** 32

const lineFeed = 0x0a
/** Bytes that are looked at at once. */
const roomBytes = 2 ** 21
/** What the kernel may read behind them. */
const slack = 8

/**
 * The sum of the CRC-32 of lines, each without its line feed, modulo `checksumRange`; the last one may have none. Undefined: one of them has
 * more than `longest` bytes, which is less than 2 MiB. In the kernel: zlib takes longer to be called than for a line.
 */
export function lineChecksums(lines: Uint8Array, longest: number): number | undefined {
  const { arena, bytes, view, fillChecksumTables, addChecksums } = kernel()
  return arena.scope((take) => {
    const [place, tables, sum] = [take(roomBytes + slack), take(8192), take(4)]
    fillChecksumTables(tables)
    view.setUint32(sum, 0, true)
    for (let from = 0; from < lines.length;) {
      const end = wholeLines(lines, from)
      bytes.set(lines.subarray(from, end), place)
      if (end === from || addChecksums(place, place + end - from, tables, longest, sum) === 0)
        return undefined
      from = end
    }
    return view.getUint32(sum, true)
  })
}

/** Where the last line ends that there is room for, from `from` on. */
function wholeLines(lines: Uint8Array, from: number): number {
  if (lines.length - from <= roomBytes) return lines.length
  return Math.max(from, lines.lastIndexOf(lineFeed, from + roomBytes - 1) + 1)
}
