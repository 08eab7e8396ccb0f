import type { SnapshotReport } from '../report-schema.ts'

/** Numbers as people read them. Units of bytes are powers of 1024, as those of the flags are. */

const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `512 bytes`, `12.3 kB`, `512 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  // What would be rounded to 1024 is one of the next.
  for (; value >= 1023.5 && unit < units.length - 1; unit++) value /= 1024
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${units[unit]}`
}

export const numberText = (value: number): string => value.toLocaleString('en-US')

/** `1 file`, `2 files`. */
export const countText = (count: number, thing: string): string =>
  `${numberText(count)} ${count === 1 ? thing : `${thing}s`}`

/** `2 min ago`, `3 days ago`; `in 5 min` where a clock is ahead. */
export function ageText(seconds: number): string {
  const [value, unit] = durationOf(Math.abs(seconds))
  if (seconds < 0) return `in ${value} ${unit}, by a clock that is ahead`
  return seconds < 5 ? 'just now' : `${value} ${unit} ago`
}

function durationOf(seconds: number): readonly [number, string] {
  if (seconds < 90) return [seconds, 's']
  if (seconds < 90 * 60) return [Math.round(seconds / 60), 'min']
  if (seconds < 36 * 3600) return [Math.round(seconds / 3600), 'h']
  return [Math.round(seconds / 86_400), 'days']
}

/** `2024-09-16 07:00:12`, UTC. */
export const timeText = (at: string): string => at.slice(0, 19).replace('T', ' ')

/** `+10,000 -9,000`; empty where nothing is known. */
export function changeText(added: number | undefined, removed: number | undefined): string {
  const parts = [
    added === undefined ? [] : `+${numberText(added)}`,
    removed === undefined ? [] : `-${numberText(removed)}`,
  ]
  return parts.flat().join(' ')
}

export const writerText = ({ engine, run }: SnapshotReport): string =>
  engine === undefined && run === undefined
    ? 'an engine that does not say its name'
    : [engine, run === undefined ? undefined : `run ${run}`].filter((part) => part !== undefined).join(', ')
