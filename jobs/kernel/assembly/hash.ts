// The fingerprint's hashes (jobs/provenance/hash/row-hash.ts says what they are made of): two words a row, in arrays x and y.

const factorX: i32 = 0xcc9e2d51
const factorY: i32 = 0x1b873593
const nullFactor: i32 = 0xe6546b65
const lengthFactor: i32 = 0x9e3779b1
const finishA: i32 = 0x85ebca6b
const finishB: i32 = 0xc2b2ae35
const finishC: i32 = 0x27d4eb2f
const finishD: i32 = 0x165667b1

function turn(half: i32, word: i32, factor: i32): i32 {
  return rotl((half ^ word) * factor, 13)
}

function mixNull(x: i32, y: i32): void {
  const mixed = turn(load<i32>(x), 0, nullFactor)
  store<i32>(x, mixed)
  store<i32>(y, turn(load<i32>(y), mixed, nullFactor))
}

/** Values of `width` bytes (1, unsigned; 4, sign-extended; 8); `defined` is 0 where no row is NULL. */
export function mixWords(x: i32, y: i32, rows: i32, values: i32, width: i32, defined: i32): void {
  let value = values
  let row = 0
  if (defined == 0 && width >= 4) {
    row = rows & ~3
    mixFours(x, y, row, values, width)
    x += row << 2
    y += row << 2
    value += row * width
  }
  for (; row < rows; row++, x += 4, y += 4) {
    if (defined != 0 && load<u8>(defined + row) == 0) {
      mixNull(x, y)
      continue
    }
    const low = width == 1 ? i32(load<u8>(value)) : load<i32>(value)
    const high = width == 8 ? load<i32>(value, 4) : low >> 31
    value += width
    const mixed = turn(load<i32>(x), low, factorX)
    store<i32>(x, mixed)
    store<i32>(y, turn(load<i32>(y), high ^ mixed, factorY))
  }
}

/** The same of four values at a time, of which `width` is 4 or 8 and none is NULL. */
function mixFours(x: i32, y: i32, rows: i32, values: i32, width: i32): void {
  const end = x + (rows << 2)
  for (; x < end; x += 16, y += 16, values += width << 2) {
    let low = v128.load(values)
    let high = i32x4.shr_s(low, 31)
    if (width == 8) {
      const behind = v128.load(values, 16)
      high = v128.shuffle<i32>(low, behind, 1, 3, 5, 7)
      low = v128.shuffle<i32>(low, behind, 0, 2, 4, 6)
    }
    const mixed = turnFour(v128.load(x), low, factorX)
    v128.store(x, mixed)
    v128.store(y, turnFour(v128.load(y), v128.xor(high, mixed), factorY))
  }
}

function turnFour(half: v128, word: v128, factor: i32): v128 {
  const product = i32x4.mul(v128.xor(half, word), i32x4.splat(factor))
  return v128.or(i32x4.shl(product, 13), i32x4.shr_u(product, 19))
}

/** Byte strings: value n is what lies between offsets n and n + 1, of which `base` is where `data` starts. */
export function mixBytes(x: i32, y: i32, rows: i32, data: i32, base: i32, offsets: i32, defined: i32): void {
  let offset = offsets
  for (let row = 0; row < rows; row++, x += 4, y += 4) {
    if (defined != 0 && load<u8>(defined + row) == 0) {
      mixNull(x, y)
      continue
    }
    mixText(x, y, data + load<i32>(offset) - base, data + load<i32>(offset, 4) - base)
    offset += 4
  }
}

/**
 * The same of byte strings behind their length in 4 bytes: number n begins at places n and ends at places n + 1. `indices`
 * tells the numbers; 0: they come in order.
 */
export function mixTexts(x: i32, y: i32, rows: i32, places: i32, indices: i32, defined: i32): void {
  let value = 0
  for (let row = 0; row < rows; row++, x += 4, y += 4) {
    if (defined != 0 && load<u8>(defined + row) == 0) {
      mixNull(x, y)
      continue
    }
    const place = places + ((indices == 0 ? value : load<i32>(indices + (value << 2))) << 2)
    value++
    mixText(x, y, load<i32>(place) + 4, load<i32>(place, 4))
  }
}

function mixText(x: i32, y: i32, start: i32, end: i32): void {
  const length = end - start
  let a = load<i32>(x)
  let b = load<i32>(y) ^ (length * lengthFactor)
  let p = start
  for (; p + 8 < end; p += 8) {
    a = turn(a, load<i32>(p), factorX)
    b = turn(b, load<i32>(p, 4) ^ a, factorY)
  }
  if (length < 4) {
    let word = 0
    if (length > 0) word = i32(load<u8>(start))
    if (length > 1) word |= i32(load<u8>(start, 1)) << 8
    if (length > 2) word |= i32(load<u8>(start, 2)) << 16
    a = turn(a, word, factorX)
    b = turn(b, a, factorY)
  } else {
    a = turn(a, load<i32>(length < 8 ? start : end - 8), factorX)
    b = turn(b, load<i32>(end - 4) ^ a, factorY)
  }
  store<i32>(x, a)
  store<i32>(y, b)
}

/** Each row's hash, finished (every bit depends on all others), is added to four words at `sums`. */
export function addHashes(x: i32, y: i32, rows: i32, sums: i32): void {
  const fours = rows & ~3
  addFours(x, y, fours, sums)
  let s0 = load<i32>(sums)
  let s1 = load<i32>(sums, 4)
  let s2 = load<i32>(sums, 8)
  let s3 = load<i32>(sums, 12)
  for (let row = fours; row < rows; row++) {
    let a: i32 = load<i32>(x + (row << 2))
    let b: i32 = load<i32>(y + (row << 2))
    a = (a ^ (a >>> 16)) * finishA
    b = (b ^ a ^ (a >>> 13)) * finishB
    b ^= b >>> 16
    a = (a ^ b) * finishC
    a ^= a >>> 15
    s0 += a
    s1 += b
    s2 += (a ^ (b << 7)) * finishD
    s3 += (b ^ (a >>> 11)) * lengthFactor
  }
  store<i32>(sums, s0)
  store<i32>(sums, s1, 4)
  store<i32>(sums, s2, 8)
  store<i32>(sums, s3, 12)
}

/** The same of four rows at a time. */
function addFours(x: i32, y: i32, rows: i32, sums: i32): void {
  let s0 = i32x4.splat(0)
  let s1 = i32x4.splat(0)
  let s2 = i32x4.splat(0)
  let s3 = i32x4.splat(0)
  for (const end = x + (rows << 2); x < end; x += 16, y += 16) {
    let a = v128.load(x)
    let b = v128.load(y)
    a = i32x4.mul(v128.xor(a, i32x4.shr_u(a, 16)), i32x4.splat(finishA))
    b = i32x4.mul(v128.xor(v128.xor(b, a), i32x4.shr_u(a, 13)), i32x4.splat(finishB))
    b = v128.xor(b, i32x4.shr_u(b, 16))
    a = i32x4.mul(v128.xor(a, b), i32x4.splat(finishC))
    a = v128.xor(a, i32x4.shr_u(a, 15))
    s0 = i32x4.add(s0, a)
    s1 = i32x4.add(s1, b)
    s2 = i32x4.add(s2, i32x4.mul(v128.xor(a, i32x4.shl(b, 7)), i32x4.splat(finishD)))
    s3 = i32x4.add(s3, i32x4.mul(v128.xor(b, i32x4.shr_u(a, 11)), i32x4.splat(lengthFactor)))
  }
  addAll(sums, s0)
  addAll(sums + 4, s1)
  addAll(sums + 8, s2)
  addAll(sums + 12, s3)
}

function addAll(sum: i32, four: v128): void {
  const own = i32x4.extract_lane(four, 0) + i32x4.extract_lane(four, 1)
  store<i32>(sum, load<i32>(sum) + own + i32x4.extract_lane(four, 2) + i32x4.extract_lane(four, 3))
}
