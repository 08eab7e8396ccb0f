import type { CrudReport, RejectsReport } from '../schema.ts'

/** `a•••@example.com`: enough to know one's own, and no address. */
export function masked(email: string): string {
  const at = email.lastIndexOf('@')
  const [first = ''] = at < 0 ? email : email.slice(0, at)
  return `${first}•••${at < 0 ? '' : email.slice(at)}`
}

/** A line of a log, each address in it masked; what has no `@` stays. */
const maskedLine = (line: string): string =>
  line.replace(/([^\s,;"@]?)[^\s,;"@]*@/g, (_, first: string) => `${first}•••@`)

export const maskedRejects = (days: readonly RejectsReport[]): RejectsReport[] =>
  days.map((one) => ({ ...one, reasons: one.reasons.map((why) => ({ ...why, raw: maskedLine(why.raw) })) }))

export const maskedUsers = (crud: CrudReport): CrudReport => ({
  ...crud,
  top: crud.top.map((user) => ({ ...user, email: masked(user.email) })),
})
