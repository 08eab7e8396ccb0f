/**
 * Byte strings in Parquet's PLAIN encoding, each behind its length in 4 bytes: number i lies between offsets i and i + 1, counted from
 * `data`. Up to 15 bytes behind them are read, and behind the end overwritten. Returns the end.
 */
export function plainBytes(data: i32, offsets: i32, count: i32, target: i32): i32 {
  let start = load<i32>(offsets)
  for (let i = 1; i <= count; i++) {
    const end = load<i32>(offsets + (i << 2))
    const length = end - start
    const from = data + start
    store<i32>(target, length)
    target += 4
    if (length <= 64) {
      for (let byte = 0; byte < length; byte += 16) v128.store(target + byte, v128.load(from + byte))
    } else memory.copy(target, from, length)
    target += length
    start = end
  }
  return target
}
