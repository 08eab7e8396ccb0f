// Snappy's compression (format_description.txt), step by step as the package snappy does it (Rust's snap): the same bytes.

/** Bytes that are compressed by themselves: offsets have 16 bits. */
const fragmentBytes: u32 = 65536
/** At a fragment's end no match begins. */
const margin: u32 = 15

/**
 * Compresses the `size` bytes at `from`; returns where the block at `target` ends. It takes up to 32 + size * 7 / 6 bytes; up to
 * 15 bytes behind what is read and written are read and overwritten. `table` has room for 32 KiB.
 */
export function packSnappy(from: u32, size: u32, target: u32, table: u32): u32 {
  let rest = size
  while (rest > 127) {
    store<u8>(target++, (rest & 127) | 128)
    rest >>>= 7
  }
  store<u8>(target++, rest)
  for (let at: u32 = 0; at < size; at += fragmentBytes)
    target = packFragment(from + at, min(fragmentBytes, size - at), target, table)
  return target
}

function packFragment(start: u32, size: u32, target: u32, table: u32): u32 {
  if (size < margin + 2) return literal(start, size, target)
  let bits: u32 = 8
  while (bits < 14 && (<u32>1) << bits < size) bits++
  const shift: u32 = 32 - bits
  memory.fill(table, 0, (<u32>2) << bits)
  const end = start + size
  const limit = end - margin
  let emitted = start
  let at = start + 1
  let slot = slotOf(load<u32>(at), table, shift)
  while (true) {
    let candidate: u32
    let next = at
    // The longer there was no match, the larger the steps: what cannot be compressed is passed quickly.
    let skip: u32 = 32
    do {
      at = next
      const step = skip >> 5
      next = at + step
      skip += step
      if (next > limit) return emitted < end ? literal(emitted, end - emitted, target) : target
      candidate = start + load<u16>(slot)
      store<u16>(slot, at - start)
      slot = slotOf(load<u32>(next), table, shift)
    } while (load<u32>(at) != load<u32>(candidate))
    target = literal(emitted, at - emitted, target)
    let word: u64
    do {
      const matched = matchEnd(at + 4, candidate + 4, end)
      target = copy(at - candidate, matched - at, target)
      at = emitted = matched
      if (at >= limit) return emitted < end ? literal(emitted, end - emitted, target) : target
      word = load<u64>(at - 1)
      store<u16>(slotOf(<u32>word, table, shift), at - 1 - start)
      const here = slotOf(<u32>(word >>> 8), table, shift)
      candidate = start + load<u16>(here)
      store<u16>(here, at - start)
    } while (<u32>(word >>> 8) == load<u32>(candidate))
    slot = slotOf(<u32>(word >>> 16), table, shift)
    at++
  }
}

function slotOf(word: u32, table: u32, shift: u32): u32 {
  return table + (((word * 0x1e35a7bd) >>> shift) << 1)
}

/** Where what is at `at` ends to be what is at `candidate`, at `end` at the latest. */
function matchEnd(at: u32, candidate: u32, end: u32): u32 {
  while (at + 8 <= end) {
    const difference = load<u64>(at) ^ load<u64>(candidate)
    if (difference != 0) return at + ((<u32>ctz(difference)) >> 3)
    at += 8
    candidate += 8
  }
  while (at < end && load<u8>(at) == load<u8>(candidate)) {
    at++
    candidate++
  }
  return at
}

function literal(from: u32, length: u32, target: u32): u32 {
  const less = length - 1
  if (less < 60) store<u8>(target++, less << 2)
  else if (less < 256) {
    store<u8>(target, 60 << 2)
    store<u8>(target, less, 1)
    target += 2
  } else {
    store<u8>(target, 61 << 2)
    store<u16>(target, less, 1)
    target += 3
  }
  if (length <= 16) v128.store(target, v128.load(from))
  else memory.copy(target, from, length)
  return target + length
}

function copy(offset: u32, length: u32, target: u32): u32 {
  while (length >= 68) {
    target = farCopy(offset, 64, target)
    length -= 64
  }
  if (length > 64) {
    target = farCopy(offset, 60, target)
    length -= 60
  }
  if (length > 11 || offset > 2047) return farCopy(offset, length, target)
  store<u8>(target, ((offset >> 8) << 5) | ((length - 4) << 2) | 1)
  store<u8>(target, offset, 1)
  return target + 2
}

function farCopy(offset: u32, length: u32, target: u32): u32 {
  store<u8>(target, ((length - 1) << 2) | 2)
  store<u16>(target, offset, 1)
  return target + 3
}
