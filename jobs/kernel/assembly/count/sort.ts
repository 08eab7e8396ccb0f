import { copyEmail } from '../copy-email'
import { arenaStart, arenaTop, COUNTS_BYTES, EMAIL, emails, recordAfter } from './table'
import { HISTOGRAM } from './places'

// Items of 16 bytes: eight bytes of an email from some depth on, as a big-endian number with zeros behind its end, and the
// address of its record. Distinct emails without a NUL: of those that share eight bytes none has ended within them.

const ITEM: u32 = 16
/** Below, comparing is quicker than counting. */
const FEW: u32 = 24

function partOf(record: u32, depth: u32): u64 {
  const length = load<u32>(record, COUNTS_BYTES)
  if (depth >= length) return 0
  const part = bswap<u64>(load<u64>(record + EMAIL + depth))
  const rest = length - depth
  return rest >= 8 ? part : part & ((<u64>-1) << (64 - ((<u64>rest) << 3)))
}

/** Whether the email of one record comes before the other's, which it equals up to `depth`. */
function isBefore(one: u32, other: u32, depth: u32): bool {
  let at = depth
  let a = partOf(one, at)
  let b = partOf(other, at)
  while (a == b && a != 0) {
    at += 8
    a = partOf(one, at)
    b = partOf(other, at)
  }
  return a < b
}

function insertionSort(from: u32, to: u32, depth: u32): void {
  for (let next = from + ITEM; next < to; next += ITEM) {
    const part = load<u64>(next)
    const record = load<u32>(next, 8)
    let at = next
    for (; at > from; at -= ITEM) {
      const before = load<u64>(at - ITEM)
      if (part > before) break
      if (part == before && !isBefore(record, load<u32>(at - ITEM, 8), depth + 8)) break
      v128.store(at, v128.load(at - ITEM))
    }
    store<u64>(at, part)
    store<u32>(at, record, 8)
  }
}

/** Sorts by the eight bytes, the last one first, leaving out those that all items share. `spare`: as much room as the items take. */
function radixSort(from: u32, to: u32, spare: u32): void {
  let every: u64 = -1
  let any: u64 = 0
  for (let item = from; item < to; item += ITEM) {
    every &= load<u64>(item)
    any |= load<u64>(item)
  }
  const differing = every ^ any
  let source = from
  let target = spare
  const bytes = to - from
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    if (((differing >>> shift) & 0xff) == 0) continue
    memory.fill(HISTOGRAM, 0, 1024)
    for (let item = source; item < source + bytes; item += ITEM) {
      const count = HISTOGRAM + (((<u32>(load<u64>(item) >>> shift)) & 0xff) << 2)
      store<u32>(count, load<u32>(count) + ITEM)
    }
    let place = target
    for (let count: u32 = HISTOGRAM; count < HISTOGRAM + 1024; count += 4) {
      const bytesOf = load<u32>(count)
      store<u32>(count, place)
      place += bytesOf
    }
    for (let item = source; item < source + bytes; item += ITEM) {
      const count = HISTOGRAM + (((<u32>(load<u64>(item) >>> shift)) & 0xff) << 2)
      const at = load<u32>(count)
      store<u32>(count, at + ITEM)
      v128.store(at, v128.load(item))
    }
    const swapped = source
    source = target
    target = swapped
  }
  if (source != from) memory.copy(from, source, bytes)
}

/**
 * Puts an item of each email at `items`, in the order of the emails' unsigned bytes. `spare`: as much room, 16 bytes an email;
 * `groups`: 8 bytes an email. Groups of emails that share their first bytes wait there: what is sorted takes eight bytes more
 * each time, so that no input makes it slow and none makes it call itself.
 */
export function sort(items: u32, spare: u32, groups: u32): void {
  let to = items
  for (let record = arenaStart(); record < arenaTop(); record = recordAfter(record)) {
    store<u64>(to, partOf(record, 0))
    store<u32>(to, record, 8)
    to += ITEM
  }
  let group = sortGroup(items, to, spare, groups, 0)
  while (group > groups) {
    group -= 16
    const from = load<u32>(group)
    const end = load<u32>(group, 4)
    const depth = load<u32>(group, 8)
    for (let item = from; item < end; item += ITEM) store<u64>(item, partOf(load<u32>(item, 8), depth))
    group = sortGroup(from, end, spare, group, depth)
  }
}

/** Sorts items by their eight bytes, which are those from `depth` on; puts groups that share them at `groups`, and returns their end. */
function sortGroup(from: u32, to: u32, spare: u32, groups: u32, depth: u32): u32 {
  if (to - from < FEW * ITEM) {
    insertionSort(from, to, depth)
    return groups
  }
  radixSort(from, to, spare)
  let end = groups
  for (let first = from; first < to;) {
    const part = load<u64>(first)
    let next = first + ITEM
    while (next < to && load<u64>(next) == part) next += ITEM
    if (next - first > ITEM) {
      store<u32>(end, first)
      store<u32>(end, next, 4)
      store<u32>(end, depth + 8, 8)
      end += 16
    }
    first = next
  }
  return end
}

/** Records whose misses of the processor's cache overlap: all are looked at before any is copied. */
const AT_ONCE: u32 = 128

/**
 * Hands over the counts of the items from `first` on by column: at most `most`, whose emails' bytes come to `limit` or less, or the
 * first alone; returns how many. Their emails' bytes at `target`, as many offsets into them and one more (32 bits), and four columns
 * with room for `most` counts each (doubles), one behind the other. Up to 15 bytes behind the emails change, too.
 */
export function takeColumns(
  items: u32,
  first: u32,
  most: u32,
  limit: u32,
  target: u32,
  offsets: u32,
  counts: u32,
): u32 {
  let count = min(emails() - first, most)
  let bytes: u32 = 0
  const column = most << 3
  store<u32>(offsets, 0)
  for (let from: u32 = 0; from < count; from += AT_ONCE) {
    let to = min(count, from + AT_ONCE)
    for (let i = from; i < to; i++) {
      const length = load<u32>(load<u32>(items + (first + i) * ITEM, 8), COUNTS_BYTES)
      if (bytes + length > limit && i > 0) {
        to = i
        count = i
        break
      }
      bytes += length
      store<u32>(offsets + (i << 2), bytes, 4)
    }
    for (let i = from; i < to; i++) {
      const record = load<u32>(items + (first + i) * ITEM, 8)
      const start = load<u32>(offsets + (i << 2))
      copyEmail(target + start, record + EMAIL, load<u32>(offsets + (i << 2), 4) - start)
      const place = counts + (i << 3)
      store<f64>(place, <f64>load<u32>(record))
      store<f64>(place + column, <f64>load<u32>(record, 4))
      store<f64>(place + 2 * column, <f64>load<u32>(record, 8))
      store<f64>(place + 3 * column, <f64>load<u32>(record, 12))
    }
  }
  return count
}
