import { asError, JobError, systemCode, usageError } from '../../errors.ts'

const field = 'ALERT_WEBHOOK_URL'
const longestMs = 10_000
const shownCharacters = 200

/**
 * Posts JSON to a webhook, follows no redirect: behind one is a page to sign in, which takes anything.
 *
 * @returns the answer: its status and the beginning of its text
 * @throws JobError: usage for what is no address, else failed; the address, which may hold a token, is in none
 */
export async function postAlert(address: string, body: unknown, signal: AbortSignal): Promise<string> {
  if (!isHttp(address))
    throw usageError(`${field} is no http or https address without user and password`, {
      field,
      fix: 'copy the address that the chat shows for its webhook',
    })
  const limit = AbortSignal.timeout(longestMs)
  let answer: Response
  let text: string
  try {
    answer = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit]),
    })
    text = (await answer.text()).replaceAll(/\s+/g, ' ').trim().slice(0, shownCharacters)
  } catch (error) {
    const { message, cause } = asError(error)
    const reason = limit.aborted
      ? `nothing came within ${longestMs / 1000} s`
      : (systemCode(cause) ?? (cause === undefined ? message : asError(cause).message))
    throw new JobError('failed', `${field} does not answer: ${reason}`, {
      field,
      fix: 'correct the address, or let this machine reach it',
      cause: error,
    })
  }
  const said = text === '' ? `${answer.status}` : `${answer.status} ${text}`
  if (answer.ok) return said
  throw new JobError('failed', `${field} answered ${said}`, {
    field,
    fix: 'correct the address, and say in ALERT_WEBHOOK_FORMAT whose it is: slack, teams or json',
  })
}

function isHttp(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, username, password } = new URL(address)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}
