import type { OptionTable } from '../options/options.ts'

/** The newest form of the file that is known. */
export const fileVersion = '1'

/** The group of tables that name none. */
export const defaultGroup = 'daily'

/** What a source has; never a secret. */
export const sourceKeys = {
  env: {
    kind: 'text',
    describe: 'prefix of its environment names: CRM for CRM_HOST, CRM_DB, CRM_USER, CRM_PASSWORD …',
    default: 'POSTGRES',
  },
  database: { kind: 'text', describe: 'its database, in the place of what the environment says' },
} as const satisfies OptionTable

/** What a group has beside options of the export: what Airflow makes of it. */
export const groupKeys = {
  schedule: { kind: 'text', describe: 'when it runs: cron with five fields, or @hourly, @daily …' },
  timezone: {
    kind: 'text',
    describe: "the schedule's time zone, which moves the clock alone",
    default: 'UTC',
  },
  owner: { kind: 'text', describe: 'who looks after it' },
  deadline: { kind: 'text', describe: 'time of day, HH:MM, after which it is late' },
  pool: { kind: 'text', describe: "Airflow's pool" },
  'max-active-tasks': { kind: 'count', minimum: 1, describe: 'tables that are exported at the same time' },
} as const satisfies OptionTable

/** What a table has beside options of the export. */
export const tableKeys = {
  group: { kind: 'text', describe: 'the group that it belongs to', default: defaultGroup },
  enabled: { kind: 'flag', describe: 'false: it is not exported', default: 'true' },
  target: { kind: 'text', describe: 'namespace.table in the lake' },
  namespace: { kind: 'text', describe: "namespace in the lake, under the table's own name" },
} as const satisfies OptionTable
