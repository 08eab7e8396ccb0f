// The RLE/bit-packing hybrid of Parquet's Encodings.md: groups of 8 values are the rule; a run is written where it is
// shorter than the groups it replaces.

/**
 * Encodes `count` values of `width` bits (1 to 31) at `target`; returns the position behind them. Only the `last` values of
 * a page may end in a group that is padded: of others up to seven are left over, and `state` gets how many were encoded.
 * Seven values behind them are overwritten with zeros, and up to 8 bytes behind the end.
 */
export function encodeIndices(values: i32, count: i32, width: i32, last: bool, target: i32, state: i32): i32 {
  const runBytes = (width + 7) >> 3
  // A run costs its header, its value and the header of the groups that follow it.
  const shortestRun = max(8, ((runBytes + 4) * 8 + width - 1) / width)
  memory.fill(values + (count << 2), 0, 28)
  const end = values + (count << 2)
  let literals = values
  let at = values
  while (at + 32 <= end) {
    const value = load<i32>(at)
    const pair = (i64(value) << 32) | (i64(value) & 0xffffffff)
    if (
      load<i64>(at) != pair ||
      load<i64>(at, 8) != pair ||
      load<i64>(at, 16) != pair ||
      load<i64>(at, 24) != pair
    ) {
      at += 32
      continue
    }
    let runEnd = at + 32
    while (runEnd < end && load<i32>(runEnd) == value) runEnd += 4
    const run = (runEnd - at) >> 2
    if (run < shortestRun) {
      at += (run & ~7) << 2
      continue
    }
    target = writeGroups(literals, at, width, target)
    target = writeVarint(target, run << 1)
    store<i32>(target, value)
    target += runBytes
    literals = at = runEnd
  }
  const encoded = last ? end : end - ((end - literals) & 31)
  store<i32>(state, (encoded - values) >> 2)
  return writeGroups(literals, encoded, width, target)
}

function writeGroups(from: i32, to: i32, width: i32, target: i32): i32 {
  if (from == to) return target
  const groups = (((to - from) >> 2) + 7) >> 3
  return packBits(from, groups, width, writeVarint(target, (groups << 1) | 1))
}

function writeVarint(target: i32, value: u32): i32 {
  while (value > 127) {
    store<u8>(target++, (value & 127) | 128)
    value >>>= 7
  }
  store<u8>(target++, value)
  return target
}

/** Groups of eight values, least significant bit first. Writes words of 8 bytes that the next one overwrites in part. */
function packBits(values: i32, groups: i32, width: i32, target: i32): i32 {
  const bits = i64(width)
  for (let group = 0; group < groups; group++, values += 32) {
    if (width <= 8) {
      let word: u64 = 0
      for (let i = 0; i < 8; i++) word |= u64(load<u32>(values + (i << 2))) << (bits * i)
      store<u64>(target, word)
    } else if (width <= 14) {
      // Four values have at most 56 bits: with the bits before them they fit one word.
      const low = fourValues(values, bits)
      const high = fourValues(values + 16, bits)
      const shift = (bits << 2) & 7
      const second = target + i32((bits << 2) >> 3)
      store<u64>(target, low)
      store<u64>(second, (high << shift) | (shift == 0 ? 0 : low >>> ((bits << 2) - shift)))
    } else {
      let word: u64 = 0
      let filled: i64 = 0
      let to = target
      for (let i = 0; i < 8; i++) {
        word |= u64(load<u32>(values + (i << 2))) << filled
        filled += bits
        store<u64>(to, word)
        const whole = filled >> 3
        to += i32(whole)
        word >>>= whole << 3
        filled &= 7
      }
    }
    target += width
  }
  return target
}

function fourValues(values: i32, bits: i64): u64 {
  return (
    u64(load<u32>(values)) |
    (u64(load<u32>(values, 4)) << bits) |
    (u64(load<u32>(values, 8)) << (bits * 2)) |
    (u64(load<u32>(values, 12)) << (bits * 3))
  )
}
