import type { EmailCounts } from './counts.ts'

/**
 * Sums sorted counts per email into one sorted whole, for windows small enough to be in memory. A merge by the sources'
 * first unread emails is linear in rows × sources, so that many sources are merged by groups.
 */
export function mergeCounts(sources: readonly EmailCounts[]): EmailCounts {
  let merged = sources
  while (merged.length > groupSize) {
    const groups = Math.ceil(merged.length / groupSize)
    merged = Array.from({ length: groups }, (_, i) =>
      mergeGroup(merged.slice(i * groupSize, (i + 1) * groupSize)),
    )
  }
  return mergeGroup(merged)
}

const groupSize = 8

function mergeGroup(sources: readonly EmailCounts[]): EmailCounts {
  const most = sources.reduce((sum, { rows }) => sum + rows, 0)
  const emails = Buffer.alloc(sources.reduce((sum, source) => sum + source.offsets[source.rows]!, 0))
  const offsets = new Uint32Array(most + 1)
  const [create, read, update, deleted] = [0, 1, 2, 3].map(() => new Float64Array(most)) as [
    ...[Float64Array, Float64Array],
    ...[Float64Array, Float64Array],
  ]
  const bytes = sources.map(({ emails: data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  const next = sources.map(() => 0)
  const order = (a: number, b: number): number =>
    bytes[a]!.compare(bytes[b]!, ...range(sources[b]!, next[b]!), ...range(sources[a]!, next[a]!))

  let rows = 0
  for (;;) {
    let first = -1
    for (let source = 0; source < sources.length; source++) {
      if (next[source] === sources[source]!.rows) continue
      if (first < 0 || order(source, first) < 0) first = source
    }
    if (first < 0) break
    const [start, end] = range(sources[first]!, next[first]!)
    const at = offsets[rows]!
    emails.set(sources[first]!.emails.subarray(start, end), at)
    offsets[rows + 1] = at + end - start
    for (let source = first; source < sources.length; source++) {
      const row = next[source]!
      const counts = sources[source]!
      if (row === counts.rows) continue
      const [from, to] = range(counts, row)
      if (bytes[source]!.compare(emails, at, offsets[rows + 1], from, to) !== 0) continue
      create[rows]! += counts.create[row]!
      read[rows]! += counts.read[row]!
      update[rows]! += counts.update[row]!
      deleted[rows]! += counts.delete[row]!
      next[source] = row + 1
    }
    rows++
  }
  return { rows, emails: emails.subarray(0, offsets[rows]), offsets, create, read, update, delete: deleted }
}

/** Where a row's email is. */
const range = ({ offsets }: EmailCounts, row: number): [number, number] => [offsets[row]!, offsets[row + 1]!]
