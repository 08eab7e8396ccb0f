// Snappy's format_description.txt. Up to 16 bytes behind a block and behind its target are read or overwritten.

/** Decompresses the block `from … end` to exactly `size` bytes at `target`; false: it is damaged. */
export function unpackSnappy(from: u32, end: u32, target: u32, size: u32): bool {
  let length: u32 = 0
  for (let shift: u32 = 0; ; shift += 7) {
    if (from >= end || shift > 28) return false
    const byte: u32 = load<u8>(from++)
    length |= (byte & 127) << shift
    if (byte < 128) break
  }
  if (length != size) return false
  const start = target
  const limit = target + size
  while (from < end) {
    const tag: u32 = load<u8>(from++)
    let bytes: u32 = tag >> 2
    if ((tag & 3) == 0) {
      if (bytes >= 60) {
        const more = bytes - 59
        bytes = load<u32>(from) & ((<u32>0xffffffff) >>> (32 - (more << 3)))
        from += more
      }
      if (from > end || bytes >= end - from || bytes >= limit - target) return false
      bytes++
      if (bytes > 64) memory.copy(target, from, bytes)
      else for (let at: u32 = 0; at < bytes; at += 16) v128.store(target + at, v128.load(from + at))
      from += bytes
    } else {
      let offset: u32
      if ((tag & 3) == 1) {
        bytes = (bytes & 7) + 4
        offset = ((tag >> 5) << 8) | (<u32>load<u8>(from++))
      } else {
        bytes++
        const isShort = (tag & 3) == 2
        offset = isShort ? <u32>load<u16>(from) : load<u32>(from)
        from += isShort ? 2 : 4
      }
      if (from > end || offset == 0 || offset > target - start || bytes > limit - target) return false
      copyWithin(target, target - offset, bytes)
    }
    target += bytes
  }
  return target == limit
}

/** What is copied may reach into what it makes: then it repeats itself. */
function copyWithin(target: u32, source: u32, bytes: u32): void {
  const end = target + bytes
  while (target - source < 16) {
    if (target >= end) return
    v128.store(target, v128.load(source))
    target += target - source
  }
  for (; target < end; target += 16, source += 16) v128.store(target, v128.load(source))
}
