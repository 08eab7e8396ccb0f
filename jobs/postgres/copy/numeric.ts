import { kernel } from '../../kernel/kernel.ts'
import { decimalWidth } from '../../vector/decimal-width.ts'
import { checked, takeWords, type FixedLoop } from './fixed.ts'

/**
 * numeric as it is sent (numeric_send): int16 number of digits, int16 weight, uint16 sign, uint16 display
 * scale, then the digits, base 10000, the first with exponent `weight`, no leading or trailing zero digits.
 */
const headerBytes = 8
const negative = 0x4000

const powersOfTen = [1, 10, 100, 1_000, 10_000]
const wordSize = 0x1_0000_0000
/** 128 bits hold 38 digits and a sign. */
const limbs = new Uint32Array(4)

/**
 * The loop that makes scaled integers: little-endian for 4 and 8 bytes, big-endian for wider ones. A value is
 * refused when it is not a number, has digits beyond `scale` or more than `precision` of them.
 */
export function numericLoop(precision: number, scale: number): FixedLoop {
  const width = decimalWidth(precision)
  const count32 = width === 4 ? 1 : width === 8 ? 2 : 4
  return ({ view, positions, inKernel }, first, count, target, at) => {
    if (inKernel !== undefined && width <= 8) {
      const found = inKernel.positions + 4 * first
      const refused = kernel().copyNumerics(found, count, inKernel.values, precision, scale, width)
      return takeWords(inKernel, count, count32, target, at, refused)
    }
    for (let i = 0; i < count; i++) {
      const from = positions[first + i]!
      const digits = view.getInt16(from)
      checked(view.getInt32(from - 4) ^ (headerBytes + 2 * digits))
      const sign = view.getUint16(from + 4)
      if (sign !== 0 && sign !== negative) return i
      if (!readDigits(view, from, digits, precision, scale, count32)) return i
      if (sign === negative) negate()
      if (width === 4) target.words[at + i] = limbs[0]!
      else if (width === 8) {
        target.words[2 * (at + i)] = limbs[0]!
        target.words[2 * (at + i) + 1] = limbs[1]!
      } else writeBigEndian(target.bytes, (at + i) * width, width)
    }
    return -1
  }
}

/** |value| × 10^scale into `limbs`; false when it is not exact or too long. */
function readDigits(
  view: DataView,
  from: number,
  digits: number,
  precision: number,
  scale: number,
  count32: number,
): boolean {
  limbs.fill(0)
  if (digits === 0) return true
  // The power of ten that the last digit of the current group of four stands for, after scaling.
  let exponent = 4 * view.getInt16(from + 2) + scale
  const lead = view.getUint16(from + headerBytes)
  const leadLength = lead >= 1000 ? 4 : lead >= 100 ? 3 : lead >= 10 ? 2 : 1
  if (exponent + leadLength > precision) return false
  for (let group = 0; group < digits; group++, exponent -= 4) {
    const digit = view.getUint16(from + headerBytes + 2 * group)
    if (exponent >= 0) multiplyAdd(10_000, digit, count32)
    else {
      const cut = exponent > -4 ? powersOfTen[-exponent]! : 10_000
      if (digit % cut !== 0) return false
      if (exponent > -4) multiplyAdd(powersOfTen[4 + exponent]!, digit / cut, count32)
    }
  }
  // `exponent` is now four below the last group's: what is left are zeros that were not sent.
  for (exponent += 4; exponent > 0; exponent -= 4) {
    multiplyAdd(powersOfTen[Math.min(exponent, 4)]!, 0, count32)
  }
  return true
}

/** limbs = limbs × factor + addend; every product fits the 53 bits of a double. */
function multiplyAdd(factor: number, addend: number, count32: number): void {
  let carry = addend
  for (let limb = 0; limb < count32; limb++) {
    const product = limbs[limb]! * factor + carry
    limbs[limb] = product
    carry = Math.floor(product / wordSize)
  }
}

function negate(): void {
  let carry = 1
  for (let limb = 0; limb < 4; limb++) {
    const inverted = (~limbs[limb]! >>> 0) + carry
    limbs[limb] = inverted
    carry = inverted >= wordSize ? 1 : 0
  }
}

function writeBigEndian(bytes: Uint8Array, at: number, width: number): void {
  for (let byte = 0; byte < width; byte++) {
    bytes[at + width - 1 - byte] = limbs[byte >> 2]! >>> (8 * (byte & 3))
  }
}
