// CRC-32 (ISO 3309, RFC 1952 §8) of each line, eight bytes at a time: "slicing-by-8".

const polynomial: u32 = 0xedb88320
const lineFeeds: u64 = 0x0a0a0a0a0a0a0a0a
const ones: u64 = 0x0101010101010101
const highs: u64 = 0x8080808080808080

/** Fills 8 tables of 256 words: table t has what a byte does to a checksum that t more bytes follow. */
export function fillChecksumTables(tables: u32): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? polynomial : 0)
    store<u32>(tables + (byte << 2), value)
  }
  for (let at: u32 = tables + 1024; at < tables + 8192; at += 4) {
    const before = load<u32>(at - 1024)
    store<u32>(at, (before >>> 8) ^ load<u32>(tables + ((before & 255) << 2)))
  }
}

/**
 * Adds the checksums of the lines in `from … end`, without their line feeds, to the word at `sum`, modulo 2^32; behind the last line
 * feed may be one more. False: a line has more than `longest` bytes. Up to 8 bytes behind the end are read.
 */
export function addChecksums(from: u32, end: u32, tables: u32, longest: u32, sum: u32): bool {
  let total = load<u32>(sum)
  let start = from
  let at = from
  let crc: u32 = 0xffffffff
  while (at < end) {
    const word = load<u64>(at)
    const other = word ^ lineFeeds
    // The lowest bit that is set is that of the first line feed.
    const found = (other - ones) & ~other & highs
    const left = end - at
    const some: u32 = min(found == 0 ? 8 : <u32>(ctz(found) >> 3), left)
    if (some == 8) {
      crc = eight(crc, word, tables)
      at += 8
      continue
    }
    for (let byte: u32 = 0; byte < some; byte++)
      crc = (crc >>> 8) ^ load<u32>(tables + (((crc ^ load<u8>(at + byte)) & 255) << 2))
    at += some
    if (at - start > longest) return false
    if (at < end) {
      total += ~crc
      crc = 0xffffffff
      start = ++at
    }
  }
  if (at - start > longest) return false
  // Of no byte it is 0.
  total += ~crc
  store<u32>(sum, total)
  return true
}

function eight(crc: u32, word: u64, tables: u32): u32 {
  const low = crc ^ (<u32>word)
  const high = <u32>(word >>> 32)
  return (
    load<u32>(tables + ((low & 255) << 2), 7168) ^
    load<u32>(tables + (((low >>> 8) & 255) << 2), 6144) ^
    load<u32>(tables + (((low >>> 16) & 255) << 2), 5120) ^
    load<u32>(tables + ((low >>> 24) << 2), 4096) ^
    load<u32>(tables + ((high & 255) << 2), 3072) ^
    load<u32>(tables + (((high >>> 8) & 255) << 2), 2048) ^
    load<u32>(tables + (((high >>> 16) & 255) << 2), 1024) ^
    load<u32>(tables + ((high >>> 24) << 2))
  )
}
