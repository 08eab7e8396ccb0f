/** The least and the greatest of `count` > 0 values of int32, together with what `result` holds already. */
export function int32Bounds(values: i32, count: i32, result: i32): void {
  let min = load<i32>(result)
  let max = load<i32>(result, 4)
  for (let i = 0; i < count; i++) {
    const value = load<i32>(values + (i << 2))
    min = value < min ? value : min
    max = value > max ? value : max
  }
  store<i32>(result, min)
  store<i32>(result, max, 4)
}

/** The same of int64. */
export function int64Bounds(values: i32, count: i32, result: i32): void {
  let min = load<i64>(result)
  let max = load<i64>(result, 8)
  for (let i = 0; i < count; i++) {
    const value = load<i64>(values + (i << 3))
    min = value < min ? value : min
    max = value > max ? value : max
  }
  store<i64>(result, min)
  store<i64>(result, max, 8)
}
