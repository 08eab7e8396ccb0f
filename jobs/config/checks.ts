import type { At, Report } from './faults.ts'
import { defaultGroup } from './keys.ts'
import type { Section } from './section.ts'
import type { TableKey } from './table-key.ts'

/** What a source may be called. */
export const sourceName = /^[A-Za-z][A-Za-z0-9_-]*$/
const envPrefix = /^[A-Z][A-Z0-9_]*$/
const groupName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/
/** DAGs of the project, or to come, that a group's would be called like: `lake_backfill`. */
const reservedGroups = ['backfill', 'maintenance', 'tables', 'tables_faults']
const cronField = /^[0-9A-Za-z*,/#?L-]+$/
const cronNames = [
  '@once',
  '@hourly',
  '@daily',
  '@weekly',
  '@monthly',
  '@quarterly',
  '@yearly',
  '@continuous',
]

export function checkSource(name: string, about: Section, at: At, field: string, report: Report): void {
  if (!sourceName.test(name))
    report({
      at,
      field,
      message: `"${name}" cannot be a source's name`,
      fix: 'use letters, digits, _ and -, a letter first',
    })
  const env = about.get('env')
  if (env !== undefined && !(typeof env.words === 'string' && envPrefix.test(env.words)))
    report({
      at: env.at,
      field: `${field}.env`,
      message: `"${String(env.words)}" is no prefix of environment names`,
      fix: 'write CRM for CRM_HOST, CRM_DB, CRM_USER, CRM_PASSWORD …',
    })
}

export function checkGroup(name: string, about: Section, at: At, field: string, report: Report): void {
  if (!groupName.test(name) || reservedGroups.includes(name))
    report({
      at,
      field,
      message: `"${name}" cannot be a group's name`,
      fix: `use letters, digits, _, . and -; ${reservedGroups.join(', ')} are taken`,
    })
  const check = (key: string, holds: (text: string) => boolean, fix: string): void => {
    const given = about.get(key)
    if (given !== undefined && !(typeof given.words === 'string' && holds(given.words)))
      report({
        at: given.at,
        field: `${field}.${key}`,
        message: `"${String(given.words)}" is not valid`,
        fix,
      })
  }
  check('schedule', isSchedule, 'give cron with five fields, such as "0 7 * * *", or @hourly, @daily …')
  check('timezone', isTimeZone, "give a name of the IANA's list, such as Europe/Berlin")
  check('deadline', isTimeOfDay, 'give a time of day such as 09:00')
  const deadline = about.get('deadline')
  const schedule = about.get('schedule')?.words ?? (name === defaultGroup ? undefined : '')
  const isCounted =
    typeof schedule !== 'string' || isOnceADay(schedule) || (schedule !== '' && !isSchedule(schedule))
  if (deadline !== undefined && isTimeOfDay(String(deadline.words)) && !isCounted)
    report({
      at: deadline.at,
      field: `${field}.deadline`,
      message: `"${String(deadline.words)}" needs a schedule with one time of day, and the group has ${schedule || 'none'}`,
      fix: 'give schedule such as "0 7 * * *", or leave deadline out',
    })
}

const isTimeOfDay = (text: string): boolean => /^([01]\d|2[0-3]):[0-5]\d$/.test(text)

/** Whether a day has one tick at most, and every tick the same time. */
const isOnceADay = (schedule: string): boolean =>
  /^\s*\d+\s+\d+\s/.test(schedule) || /^@(daily|weekly|monthly|quarterly|yearly)$/.test(schedule)

const isSchedule = (text: string): boolean => {
  const fields = text.trim().split(/\s+/)
  return cronNames.includes(text) || (fields.length === 5 && fields.every((field) => cronField.test(field)))
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Each level becomes a folder. */
const namespaceName = /^[^./\\\p{Cc}]+(\.[^./\\\p{Cc}]+)*$/u
const tableName = /^[^.=/\\\p{Cc}]+(\.[^.=/\\\p{Cc}]+)+$/u

/** Of a pattern only the namespace can be said: its tables would all become one. */
export function checkTarget({ isPattern }: TableKey, about: Section, field: string, report: Report): void {
  const target = about.get('target')
  const namespace = about.get('namespace')
  if (target !== undefined && isPattern)
    report({
      at: target.at,
      field: `${field}.target`,
      message: 'all tables of a pattern would become one',
      fix: 'give namespace in its place',
    })
  if (target !== undefined && namespace !== undefined)
    report({
      at: namespace.at,
      field: `${field}.namespace`,
      message: 'target says the namespace, too',
      fix: 'give one of them',
    })
  if (namespace !== undefined && !namespaceName.test(String(namespace.words)))
    report({
      at: namespace.at,
      field: `${field}.namespace`,
      message: `"${String(namespace.words)}" is not a namespace`,
      fix: 'write names with dots between them, for example shop or shop.eu',
    })
  if (target !== undefined && !tableName.test(String(target.words)))
    report({
      at: target.at,
      field: `${field}.target`,
      message: `"${String(target.words)}" is not a table of the catalog`,
      fix: 'write namespace.table, for example shop.orders',
    })
}
