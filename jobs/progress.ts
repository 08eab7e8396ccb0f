import type { Logger } from 'pino'

/** Shows how far long work has come. One bar at a time; `done` removes it. */
export interface Progress {
  /** Starts a bar. `total` in `unit`s, undefined when it is not known beforehand. */
  start(label: string, total: number | undefined, unit: string): ProgressBar
}

export interface ProgressBar {
  add(count: number): void
  done(): void
}

export interface ProgressTarget {
  readonly terminal: boolean
  readonly write: (text: string) => void
  readonly logger: Logger
  /** Milliseconds on any steady clock. */
  readonly clock: () => number
}

const redrawMs = 100
const logMs = 10_000
const width = 24

/** A redrawn line on a terminal; elsewhere a log line every ten seconds, so that logs stay short. */
export function createProgress({ terminal, write, logger, clock }: ProgressTarget): Progress {
  return {
    start(label, total, unit) {
      const started = clock()
      let shown = started
      let count = 0

      const report = (): void => {
        const perSecond = Math.round(count / Math.max((clock() - started) / 1000, 0.001))
        if (terminal) write(`\r\x1b[K${bar({ label, count, total, unit, perSecond })}`)
        else
          logger.info(
            { done: count, total, unit, perSecond },
            amount({ label, count, total, unit, perSecond }),
          )
      }
      return {
        add(more) {
          count += more
          const now = clock()
          if (now - shown < (terminal ? redrawMs : logMs)) return
          shown = now
          report()
        },
        done() {
          if (terminal) write('\r\x1b[K')
        },
      }
    },
  }
}

interface BarState {
  readonly label: string
  readonly count: number
  readonly total: number | undefined
  readonly unit: string
  readonly perSecond: number
}

/** `aggregate: 2.3 M of 7.0 M rows, 1.1 M/s` */
const amount = ({ label, count, total, unit, perSecond }: BarState): string =>
  `${label}: ${short(count)} ${total === undefined ? '' : `of ${short(total)} `}${unit}, ${short(perSecond)}/s`

/** `aggregate ████████░░░░  33 %  2.3 M of 7 M rows  1.1 M/s` */
export function bar({ label, count, total, unit, perSecond }: BarState): string {
  const rate = `${short(perSecond)}/s`
  if (total === undefined || total === 0) return `${label}  ${short(count)} ${unit}  ${rate}`
  const share = Math.min(count / total, 1)
  const filled = Math.round(share * width)
  const drawn = '█'.repeat(filled) + '░'.repeat(width - filled)
  return `${label} ${drawn} ${String(Math.floor(share * 100)).padStart(3)} %  ${short(count)} of ${short(total)} ${unit}  ${rate}`
}

/** 1234567 → `1.2 M`: what a person reads at a glance. */
export function short(count: number): string {
  const steps = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const
  for (const [size, suffix] of steps) {
    if (count >= size) return `${(count / size).toFixed(1)}${suffix}`
  }
  return String(count)
}
