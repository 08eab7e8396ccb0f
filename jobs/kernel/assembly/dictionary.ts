// Dictionaries: values to the numbers of their entries. Open addressing; a slot holds an entry's number from 1, 0 is free.
// `state`: entries, slots (a power of two). A function that returns fewer values than asked stopped at one that does not
// fit: the dictionary is full, or `state` + 8 says that the table wants to be larger and the call to be repeated.

function mix(hash: i32): i32 {
  const mixed = (hash ^ (hash >>> 16)) * 0x45d9f3b
  return mixed ^ (mixed >>> 15)
}

/** Values of 4 bytes within a span that has a slot for each. */
export function indexSpan(
  values: i32,
  count: i32,
  indices: i32,
  min: i32,
  slots: i32,
  distinct: i32,
  limit: i32,
  state: i32,
): i32 {
  let entries = load<i32>(state)
  let i = 0
  for (; i < count; i++) {
    const value = load<i32>(values + (i << 2))
    const slot = slots + ((value - min) << 2)
    let entry = load<i32>(slot)
    if (entry == 0) {
      if (entries == limit) break
      store<i32>(distinct + (entries << 2), value)
      entry = ++entries
      store<i32>(slot, entry)
    }
    store<i32>(indices + (i << 2), entry - 1)
  }
  store<i32>(state, entries)
  return i
}

/** Values of 8 bytes within such a span; `min` in two halves, as i64 is no number of JavaScript's. */
export function indexSpan64(
  values: i32,
  count: i32,
  indices: i32,
  minLow: i32,
  minHigh: i32,
  slots: i32,
  distinct: i32,
  limit: i32,
  state: i32,
): i32 {
  const min = (i64(minHigh) << 32) | i64(u32(minLow))
  let entries = load<i32>(state)
  let i = 0
  for (; i < count; i++) {
    const value = load<i64>(values + (i << 3))
    const slot = slots + (i32(value - min) << 2)
    let entry = load<i32>(slot)
    if (entry == 0) {
      if (entries == limit) break
      store<i64>(distinct + (entries << 3), value)
      entry = ++entries
      store<i32>(slot, entry)
    }
    store<i32>(indices + (i << 2), entry - 1)
  }
  store<i32>(state, entries)
  return i
}

/** Makes room for twice as many entries of one or two words. */
function growWords(slots: i32, slotCount: i32, distinct: i32, entries: i32, wide: bool): void {
  memory.fill(slots, 0, slotCount << 2)
  const mask = slotCount - 1
  for (let entry = 0; entry < entries; entry++) {
    let slot =
      (wide ? hash64(load<i64>(distinct + (entry << 3))) : mix(load<i32>(distinct + (entry << 2)))) & mask
    while (load<i32>(slots + (slot << 2)) != 0) slot = (slot + 1) & mask
    store<i32>(slots + (slot << 2), entry + 1)
  }
}

/** Values of 4 bytes, compared by their bits. */
export function indexInt32s(
  values: i32,
  count: i32,
  indices: i32,
  slots: i32,
  distinct: i32,
  limit: i32,
  state: i32,
): i32 {
  let entries = load<i32>(state)
  let slotCount = load<i32>(state, 4)
  let mask = slotCount - 1
  let i = 0
  for (; i < count; i++) {
    const value = load<i32>(values + (i << 2))
    let slot = mix(value) & mask
    let entry = load<i32>(slots + (slot << 2))
    while (entry != 0 && load<i32>(distinct + ((entry - 1) << 2)) != value) {
      slot = (slot + 1) & mask
      entry = load<i32>(slots + (slot << 2))
    }
    if (entry == 0) {
      if (entries == limit) break
      if (entries << 1 == slotCount) {
        slotCount <<= 1
        mask = slotCount - 1
        growWords(slots, slotCount, distinct, entries, false)
        i--
        continue
      }
      store<i32>(distinct + (entries << 2), value)
      entry = ++entries
      store<i32>(slots + (slot << 2), entry)
    }
    store<i32>(indices + (i << 2), entry - 1)
  }
  store<i32>(state, entries)
  store<i32>(state, slotCount, 4)
  return i
}

function hash64(value: i64): i32 {
  return mix(i32(value) ^ (i32(value >> 32) * 0x9e3779b1))
}

/** Values of 8 bytes, compared by their bits. */
export function indexInt64s(
  values: i32,
  count: i32,
  indices: i32,
  slots: i32,
  distinct: i32,
  limit: i32,
  state: i32,
): i32 {
  let entries = load<i32>(state)
  let slotCount = load<i32>(state, 4)
  let mask = slotCount - 1
  let i = 0
  for (; i < count; i++) {
    const value = load<i64>(values + (i << 3))
    let slot = hash64(value) & mask
    let entry = load<i32>(slots + (slot << 2))
    while (entry != 0 && load<i64>(distinct + ((entry - 1) << 3)) != value) {
      slot = (slot + 1) & mask
      entry = load<i32>(slots + (slot << 2))
    }
    if (entry == 0) {
      if (entries == limit) break
      if (entries << 1 == slotCount) {
        slotCount <<= 1
        mask = slotCount - 1
        growWords(slots, slotCount, distinct, entries, true)
        i--
        continue
      }
      store<i64>(distinct + (entries << 3), value)
      entry = ++entries
      store<i32>(slots + (slot << 2), entry)
    }
    store<i32>(indices + (i << 2), entry - 1)
  }
  store<i32>(state, entries)
  store<i32>(state, slotCount, 4)
  return i
}

/**
 * Byte strings: value n lies between offsets n and n + 1, of which `base` is where `data` starts; 8 readable bytes
 * follow the last one. Distinct values are copied into `body`, each behind `prefix` bytes (4: its length; 0), so that
 * comparing stays within one small arena; entry n lies at starts n - 1 … n. A slot has two words: entry and hash.
 */
export function indexBytes(
  data: i32,
  base: i32,
  offsets: i32,
  count: i32,
  indices: i32,
  prefix: i32,
  slots: i32,
  starts: i32,
  body: i32,
  limit: i32,
  state: i32,
): i32 {
  let entries = load<i32>(state)
  let slotCount = load<i32>(state, 4)
  let mask = slotCount - 1
  let i = 0
  for (; i < count; i++) {
    const start = data + load<i32>(offsets + (i << 2)) - base
    const end = data + load<i32>(offsets + (i << 2), 4) - base
    const length = end - start
    const hash = hashBytes(start, length)
    let slot = hash & mask
    let entry = load<i32>(slots + (slot << 3))
    while (entry != 0) {
      if (load<i32>(slots + (slot << 3), 4) == hash) {
        const entryStart = load<i32>(starts + ((entry - 1) << 2)) + prefix
        const entryLength = load<i32>(starts + (entry << 2)) - entryStart
        if (entryLength == length && equalBytes(start, body + entryStart, length)) break
      }
      slot = (slot + 1) & mask
      entry = load<i32>(slots + (slot << 3))
    }
    if (entry == 0) {
      const used = load<i32>(starts + (entries << 2))
      if (length > limit || used + prefix + length > limit) break
      if (entries << 1 == slotCount) {
        slotCount = growBytes(slots, slotCount)
        mask = slotCount - 1
        i--
        continue
      }
      if (prefix > 0) store<i32>(body + used, length)
      memory.copy(body + used + prefix, start, length)
      entry = ++entries
      store<i32>(starts + (entries << 2), used + prefix + length)
      store<i32>(slots + (slot << 3), entry)
      store<i32>(slots + (slot << 3), hash, 4)
    }
    store<i32>(indices + (i << 2), entry - 1)
  }
  store<i32>(state, entries)
  store<i32>(state, slotCount, 4)
  return i
}

/** Doubles the table in its place: what lies in a slot moves up by the old size, or stays, or closes up. */
function growBytes(slots: i32, slotCount: i32): i32 {
  const grown = slotCount << 1
  const old = slots + (grown << 3)
  memory.copy(old, slots, slotCount << 3)
  memory.fill(slots, 0, grown << 3)
  const mask = grown - 1
  for (let from = old; from < old + (slotCount << 3); from += 8) {
    const taken = load<i64>(from)
    if (i32(taken) == 0) continue
    let slot = i32(taken >> 32) & mask
    while (load<i32>(slots + (slot << 3)) != 0) slot = (slot + 1) & mask
    store<i64>(slots + (slot << 3), taken)
  }
  return grown
}

/** Eight bytes a step, the last eight may overlap those before: short values cost no loop over their rest. */
function hashBytes(start: i32, length: i32): i32 {
  let hash: i64 = length * 0x9e3779b97f4a7c15
  const end = start + length
  if (length < 8) {
    const word = load<u64>(start) & ((u64(1) << (u64(length) << 3)) - 1)
    hash = (hash ^ word) * 0xff51afd7ed558ccd
  } else {
    for (let p = start; p + 8 < end; p += 8) hash = rotl((hash ^ load<i64>(p)) * 0xff51afd7ed558ccd, 31)
    hash = (hash ^ load<i64>(end - 8)) * 0xc4ceb9fe1a85ec53
  }
  return i32(hash ^ (hash >>> 32)) ^ i32(hash >>> 47)
}

function equalBytes(a: i32, b: i32, length: i32): bool {
  if (length < 8) {
    const mask = (u64(1) << (u64(length) << 3)) - 1
    return ((load<u64>(a) ^ load<u64>(b)) & mask) == 0
  }
  const last = length - 8
  for (let i = 0; i < last; i += 8) if (load<i64>(a + i) != load<i64>(b + i)) return false
  return load<i64>(a + last) == load<i64>(b + last)
}
