import type { FixedVector } from '../../vector/vector.ts'
import type { PrimitiveType } from '../schema/types.ts'

/** 86,400,000,000 µs are 2^13 of these, 3,600,000,000 µs 2^10 of those: both shifts of the low half are exact. */
const dayUnits = 10_546_875
const hourUnits = 3_515_625

/**
 * Days since 1970 of dates or timestamps, rounded down. Microseconds are taken as two 32-bit halves: shifted
 * by their power of two they fit a double exactly, and so does the quotient's floor.
 */
export function daysOf(type: PrimitiveType, vector: FixedVector): Int32Array {
  if (type.kind === 'date') return ints(vector).slice(0, vector.count)
  const halves = ints(vector)
  const days = new Int32Array(vector.count)
  for (let i = 0; i < days.length; i++) {
    const units = halves[2 * i + 1]! * 0x80000 + (halves[2 * i]! >>> 13)
    days[i] = Math.floor(units / dayUnits)
  }
  return days
}

/** Hours since 1970 of timestamps, rounded down; exact for every year up to 9999 and far beyond. */
export function hoursOf(vector: FixedVector): Int32Array {
  const halves = ints(vector)
  const hours = new Int32Array(vector.count)
  for (let i = 0; i < hours.length; i++) {
    const units = halves[2 * i + 1]! * 0x400000 + (halves[2 * i]! >>> 10)
    hours[i] = Math.floor(units / hourUnits)
  }
  return hours
}

/** Years since 1970, in place. */
export function yearsOfDays(days: Int32Array): Int32Array {
  for (let i = 0; i < days.length; i++) days[i] = Math.floor(monthOf(days[i]!) / 12)
  return days
}

/** Months since January 1970, in place. */
export function monthsOfDays(days: Int32Array): Int32Array {
  for (let i = 0; i < days.length; i++) days[i] = monthOf(days[i]!)
  return days
}

/** Proleptic Gregorian month of a day: years begin in March, so that the leap day comes last. */
function monthOf(day: number): number {
  const sinceMarch0 = day + 719_468
  const era = Math.floor(sinceMarch0 / 146_097)
  const dayOfEra = sinceMarch0 - era * 146_097
  const year = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  return (era * 400 + year - 1970) * 12 + monthFromMarch + 2
}

const ints = ({ data, count, width }: FixedVector): Int32Array =>
  new Int32Array(data.buffer, data.byteOffset, (count * width) >> 2)
