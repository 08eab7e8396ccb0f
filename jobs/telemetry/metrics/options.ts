import type { OptionTable } from '../../options/options.ts'

/** Of every command. */
export const metricsOptions = {
  'metrics-file': {
    kind: 'text',
    env: 'LAKEJOBS_METRICS_FILE',
    describe: 'leave gauges for Prometheus beside this path, one file for each command and table',
  },
  'metrics-push': {
    kind: 'text',
    env: 'LAKEJOBS_METRICS_PUSH',
    describe: 'the address of a Pushgateway, for the same gauges',
  },
} as const satisfies OptionTable
