/** Numbers and times as people read them. */

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `512 B`, `12.3 kB`: by powers of 1024. */
export function bytesText(bytes: number): string {
  let value = Math.abs(bytes)
  let unit = 0
  for (; value >= 1023.5 && unit < units.length - 1; unit++) value /= 1024
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${bytes < 0 ? '−' : ''}${value.toFixed(digits).replace(/\.0$/, '')} ${units[unit]}`
}

/** `1,234,567`. */
export const numberText = (value: number): string =>
  `${value < 0 ? '−' : ''}${Math.abs(value).toLocaleString('en-US')}`

/** `+12.3 %`; undefined where nothing was before. */
export function changeText(now: number, before: number): string | undefined {
  if (before === 0) return undefined
  const percent = (100 * (now - before)) / before
  const text = Math.abs(percent) >= 1000 ? Math.abs(percent).toFixed(0) : Math.abs(percent).toFixed(1)
  return Number(text) === 0 ? '±0 %' : `${percent < 0 ? '−' : '+'}${text} %`
}

/** `2024-09-17 06:00`, UTC. */
export const timeText = (at: string): string => at.slice(0, 16).replace('T', ' ')
