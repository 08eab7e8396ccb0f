/** Below this many strings a comparison sort beats a pass over 65 536 buckets. */
const smallGroup = 512

/**
 * The order of `count` distinct, NUL-free byte strings (string i is `data[offsets[i]] … data[offsets[i + 1] - 1]`)
 * by unsigned bytes, as a permutation. Radix sort by four bytes at a time, groups of equal prefixes by the next
 * four: what a comparison sort loses on a million strings is the cache misses. Padding with NUL keeps a prefix
 * before what it begins, and distinct strings distinct.
 */
export function sortedOrder(data: Uint8Array, offsets: Uint32Array, count: number): Uint32Array {
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  const keys = new Uint32Array(count)
  const pending: { from: number; to: number; depth: number }[] = [{ from: 0, to: count, depth: 0 }]
  for (let group = pending.pop(); group !== undefined; group = pending.pop()) {
    const { from, to, depth } = group
    if (to - from <= smallGroup) {
      sortByComparing(order.subarray(from, to), data, offsets)
      continue
    }
    for (let i = from; i < to; i++) keys[i] = keyAt(data, offsets, order[i]!, depth)
    radixSort(keys.subarray(from, to), order.subarray(from, to))
    for (let start = from, i = from + 1; i <= to; i++) {
      if (i < to && keys[i] === keys[start]) continue
      if (i - start > 1) pending.push({ from: start, to: i, depth: depth + 4 })
      start = i
    }
  }
  return order
}

/** Bytes `depth` … `depth + 3` of a string as a big-endian number, NUL behind its end. */
function keyAt(data: Uint8Array, offsets: Uint32Array, id: number, depth: number): number {
  const at = offsets[id]! + depth
  const end = offsets[id + 1]!
  let key = 0
  for (let i = 0; i < 4; i++) key = (key << 8) | (at + i < end ? data[at + i]! : 0)
  return key >>> 0
}

/** Sorts both arrays by `keys`, ascending: two stable counting passes over 16 bits each. */
function radixSort(keys: Uint32Array, order: Uint32Array): void {
  const otherKeys = new Uint32Array(keys.length)
  const otherOrder = new Uint32Array(keys.length)
  countingPass(keys, order, otherKeys, otherOrder, 0)
  countingPass(otherKeys, otherOrder, keys, order, 16)
}

function countingPass(
  keys: Uint32Array,
  order: Uint32Array,
  toKeys: Uint32Array,
  toOrder: Uint32Array,
  shift: number,
): void {
  const places = new Uint32Array(65_537)
  for (const key of keys) places[((key >>> shift) & 0xffff) + 1]!++
  for (let bucket = 1; bucket <= 65_536; bucket++) places[bucket]! += places[bucket - 1]!
  for (let i = 0; i < keys.length; i++) {
    const place = places[(keys[i]! >>> shift) & 0xffff]!++
    toKeys[place] = keys[i]!
    toOrder[place] = order[i]!
  }
}

function sortByComparing(order: Uint32Array, data: Uint8Array, offsets: Uint32Array): void {
  if (order.length < 2) return
  order.sort((a, b) => {
    let left = offsets[a]!
    let right = offsets[b]!
    const leftEnd = offsets[a + 1]!
    const rightEnd = offsets[b + 1]!
    while (left < leftEnd && right < rightEnd) {
      const difference = data[left++]! - data[right++]!
      if (difference !== 0) return difference
    }
    return leftEnd - left - (rightEnd - right)
  })
}
