/** Round numbers for an axis from 0 to at least `most`: steps of 1, 2 or 5 times a power of ten, `wanted` of them or so. */
export function ticks(most: number, wanted = 4): number[] {
  if (!(most > 0)) return [0, 1]
  const rough = most / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  // Whole things are counted.
  const whole = Math.max(step, most >= 1 ? 1 : step)
  return Array.from({ length: Math.ceil(most / whole) + 1 }, (_, at) => at * whole)
}

/** `950`, `12k`, `1.5M`. */
export function shortNumber(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'] as const
  let unit = 0
  let left = value
  for (; left >= 1000 && unit < units.length - 1; unit++) left /= 1000
  return `${Number(left.toFixed(left < 10 ? 2 : 1))}${units[unit]}`
}

/** A coordinate: two digits are a hundredth of a pixel. */
export const at = (value: number): number => Math.round(value * 100) / 100
