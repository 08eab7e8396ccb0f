import { copyEmail } from '../copy-email'
import { HEAD, lengthAt, sizeAt, WIDE } from './record'

// Lists of records, each sorted by its emails' unsigned bytes, are merged by a tree of losers (Knuth, The Art of Computer
// Programming 3, 5.4.1): each node has the list that lost there, so that one that moves on is compared log2(lists) times. Of each
// list a window lies in memory: three words at `sources`: where its next record begins, where the window's bytes end, and whether
// nothing follows them.

const SOURCE: u32 = 12
/** What merge() answers beside the number of a list whose window must be filled. */
const FULL: i32 = -1
const DONE: i32 = -2
/** In a tree that is being built: comes before every list. */
const NONE: u32 = 0xffffffff

let sources: u32 = 0
let count: u32 = 0
let tree: u32 = 0
let winner: u32 = 0

let emailsAt: u32 = 0
let offsetsAt: u32 = 0
let countsAt: u32 = 0
let mostRows: u32 = 0
let mostBytes: u32 = 0
let column: u32 = 0
let rowsNow: u32 = 0
let bytesNow: u32 = 0

/** Of the batch: its rows, and the bytes of their emails. */
export function rows(): u32 {
  return rowsNow
}
export function emailBytes(): u32 {
  return bytesNow
}

/** Begins with `lists` lists, one or more, the first windows of which hold a record each, if the list has one; `treeAt` has room for a word each. */
export function start(sourcesAt: u32, lists: u32, treeAt: u32): void {
  sources = sourcesAt
  count = lists
  tree = treeAt
  for (let node: u32 = 0; node < count; node++) store<u32>(tree + (node << 2), NONE)
  for (let list = count; list > 0; list--) play(list - 1)
}

function recordOf(list: u32): u32 {
  return load<u32>(sources + list * SOURCE)
}
function isEnded(list: u32): bool {
  const place = sources + list * SOURCE
  return load<u32>(place) == load<u32>(place, 4) && load<u32>(place, 8) != 0
}
/** Bytes of the record that begins at `at`, or of its head where `end` cuts that, too. */
export function wanted(at: u32, end: u32): u32 {
  return end - at < HEAD ? HEAD : sizeAt(at)
}
function isWhole(list: u32): bool {
  const place = sources + list * SOURCE
  const at = load<u32>(place)
  const end = load<u32>(place, 4)
  return end - at >= wanted(at, end)
}

function isBefore(one: u32, other: u32): bool {
  if (one == NONE) return true
  if (other == NONE) return false
  if (isEnded(one)) return false
  if (isEnded(other)) return true
  const a = recordOf(one)
  const b = recordOf(other)
  const ofA = lengthAt(a)
  const ofB = lengthAt(b)
  const shared = min(ofA, ofB)
  for (let i: u32 = 0; i < shared; i += 8) {
    const wordA = load<u64>(a + i, HEAD)
    const wordB = load<u64>(b + i, HEAD)
    if (wordA != wordB) {
      if (i + <u32>(ctz(wordA ^ wordB) >>> 3) >= shared) break
      return bswap<u64>(wordA) < bswap<u64>(wordB)
    }
  }
  return ofA < ofB
}

/** From a list's leaf up: at each node the one that comes first goes on, the other one stays. */
function play(list: u32): void {
  let first = list
  for (let node = (list + count) >>> 1; node > 0; node >>>= 1) {
    const place = tree + (node << 2)
    const waiting = load<u32>(place)
    if (isBefore(waiting, first)) {
      store<u32>(place, first)
      first = waiting
    }
  }
  winner = first
}

/** The window of the list that merge() has named holds a whole record now, or the list has ended. */
export function refilled(list: u32): void {
  play(list)
}

/** Begins a batch of at most `most` rows, whose emails come to `limit` bytes or less, or the first alone. */
export function begin(emails: u32, offsets: u32, counts: u32, most: u32, limit: u32): void {
  emailsAt = emails
  offsetsAt = offsets
  countsAt = counts
  mostRows = most
  mostBytes = limit
  column = most << 3
  rowsNow = 0
  bytesNow = 0
  store<u32>(offsets, 0)
}

/** Whether the record's email is that of the last row. */
function isLast(record: u32, length: u32): bool {
  if (rowsNow == 0) return false
  const start = load<u32>(offsetsAt + ((rowsNow - 1) << 2))
  if (bytesNow - start != length) return false
  const email = emailsAt + start
  let i: u32 = 0
  for (; i + 8 <= length; i += 8) if (load<u64>(email + i) != load<u64>(record + i, HEAD)) return false
  for (; i < length; i++) if (load<u8>(email + i) != load<u8>(record + i, HEAD)) return false
  return true
}

function openRow(record: u32, length: u32): void {
  copyEmail(emailsAt + bytesNow, record + HEAD, length)
  const place = countsAt + (rowsNow << 3)
  store<f64>(place, 0)
  store<f64>(place + column, 0)
  store<f64>(place + 2 * column, 0)
  store<f64>(place + 3 * column, 0)
  bytesNow += length
  rowsNow++
  store<u32>(offsetsAt + (rowsNow << 2), bytesNow)
}

function addCounts(record: u32, length: u32): void {
  const from = record + HEAD + length
  const to = countsAt + ((rowsNow - 1) << 3)
  if ((load<u32>(record) & WIDE) == 0) {
    store<f64>(to, load<f64>(to) + <f64>load<u8>(from))
    store<f64>(to + column, load<f64>(to + column) + <f64>load<u8>(from, 1))
    store<f64>(to + 2 * column, load<f64>(to + 2 * column) + <f64>load<u8>(from, 2))
    store<f64>(to + 3 * column, load<f64>(to + 3 * column) + <f64>load<u8>(from, 3))
    return
  }
  store<f64>(to, load<f64>(to) + load<f64>(from))
  store<f64>(to + column, load<f64>(to + column) + load<f64>(from, 8))
  store<f64>(to + 2 * column, load<f64>(to + 2 * column) + load<f64>(from, 16))
  store<f64>(to + 3 * column, load<f64>(to + 3 * column) + load<f64>(from, 24))
}

/**
 * Merges into the batch that begin() has begun. Answers FULL when the next email needs another batch, DONE when all lists have
 * ended, else the number of a list whose window must be filled; refilled() must follow before merge() goes on. One row is one
 * email: what the lists have of it is in one batch, whatever is filled between.
 */
export function merge(): i32 {
  while (!isEnded(winner)) {
    const list = winner
    const record = recordOf(list)
    const length = lengthAt(record)
    if (!isLast(record, length)) {
      if (rowsNow == mostRows || (rowsNow > 0 && bytesNow + length > mostBytes)) return FULL
      openRow(record, length)
    }
    addCounts(record, length)
    store<u32>(sources + list * SOURCE, record + sizeAt(record))
    if (!isEnded(list) && !isWhole(list)) return list
    play(list)
  }
  return DONE
}
